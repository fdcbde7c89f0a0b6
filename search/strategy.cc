#include "search/strategy.h"

#include <algorithm>
#include <set>

#include "search/aim.h"
#include "search/portfolio.h"
#include "search/search_space.h"

namespace everlearn {
namespace {

constexpr size_t kMostRepeats = 100;  // candidates known already, after which a strategy has nothing new

// The candidates that are to be tried first, then those of a strategy; each once.
class EachOnce : public Strategy {
 public:
  EachOnce(const StrategyInfo& info, StrategyContext context)
      : first_(context.first), experience_(MostAlike(context)), metric_(context.metric), monotone_(context.monotone) {
    context.experience = &experience_;
    then_ = info.make(context);
  }

  std::optional<Candidate> Next(std::span<const Observation> seen) override {
    for (; observed_ < seen.size(); ++observed_) given_.insert(CandidateKey(seen[observed_].candidate));
    while (next_ < first_.size()) {
      Candidate& candidate = first_[next_++];
      if (given_.insert(CandidateKey(candidate)).second) return std::move(candidate);
    }
    for (size_t repeats = 0; repeats < kMostRepeats; ++repeats) {
      std::optional<Candidate> candidate = then_->Next(seen);
      if (candidate) TakeAim(metric_, monotone_, &*candidate);
      if (!candidate || given_.insert(CandidateKey(*candidate)).second) return candidate;
    }
    return std::nullopt;
  }

 private:
  std::vector<Candidate> first_;
  const Experience experience_;
  const std::string metric_;
  const bool monotone_;
  std::unique_ptr<Strategy> then_;
  std::set<std::string> given_;
  size_t next_ = 0, observed_ = 0;
};

}  // namespace

Registry<StrategyInfo>& Strategies() {
  static Registry<StrategyInfo> registry("strategy");
  return registry;
}

std::unique_ptr<Strategy> MakeStrategy(const std::string& name, const StrategyContext& context) {
  return std::make_unique<EachOnce>(Strategies().Get(name), context);
}

std::vector<std::string> AllowedLearners(const StrategyContext& context) {
  std::vector<std::string> allowed;
  for (const std::string& name : Learners().Names()) {
    const LearnerInfo& learner = Learners().Get(name);
    const bool named = std::find(context.learners.begin(), context.learners.end(), name) != context.learners.end();
    if (context.learners.empty() ? !learner.fit || learner.baseline || name == "constant" : !named) continue;
    if (!learner.supports(context.classes) || (context.weights && !learner.weights) || (context.monotone && !learner.monotone)) continue;
    allowed.push_back(name);
  }
  return allowed;
}

}  // namespace everlearn
