// strategy random: every learner as often, each parameter anywhere in its range. The reference that the others have to beat.
#include "search/search_space.h"
#include "search/strategy.h"

namespace everlearn {
namespace {

class RandomSearch : public Strategy {
 public:
  explicit RandomSearch(const StrategyContext& context) : random_(Random::Derive(context.seed, 1)) {
    for (const std::string& learner : AllowedLearners(context)) spaces_.emplace_back(learner);
  }
  std::optional<Candidate> Next(std::span<const Observation>) override {
    if (spaces_.empty()) return std::nullopt;
    const SearchSpace& space = spaces_[random_.Below(spaces_.size())];
    return space.At(space.RandomPosition(&random_));
  }

 private:
  std::vector<SearchSpace> spaces_;
  Random random_;
};

[[maybe_unused]] const bool registered = Strategies().Add(
    "random",
    {.summary = "any learner with any parameters",
     .paper = "Bergstra, J. & Bengio, Y. (2012). Random search for hyper-parameter optimization. JMLR 13.",
     .make = [](const StrategyContext& context) -> std::unique_ptr<Strategy> { return std::make_unique<RandomSearch>(context); }});

}  // namespace
}  // namespace everlearn
