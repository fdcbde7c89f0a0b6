#include "search/frugal_search.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr double kLeastSeconds = 1e-3;  // of a trial: keeps costs above zero

}  // namespace

FrugalSearch::FrugalSearch(const StrategyContext& context) : data_(context.data), random_(Random::Derive(context.seed, 2)) {
  const CostModel cost(context.experience == nullptr ? Experience() : *context.experience);
  uint64_t part = 100;
  for (const std::string& learner : AllowedLearners(context)) {
    const SearchSpace space(learner);
    if (space.size() == 0) continue;
    Thread thread{.search = LocalSearch(learner, Random::Derive(context.seed, part++).Next())};
    thread.first_seconds = cost.Seconds(space.At(space.CheapPosition(data_)), data_);
    threads_.emplace(learner, std::move(thread));
  }
}

std::optional<Candidate> FrugalSearch::Next(std::span<const Observation> seen) {
  for (; observed_ < seen.size(); ++observed_) Take(seen[observed_]);
  if (threads_.empty()) return std::nullopt;
  double best = std::numeric_limits<double>::infinity();
  for (const auto& [learner, thread] : threads_) best = std::min(best, thread.best);
  std::vector<std::pair<double, Thread*>> chances;
  std::vector<std::string> names;
  double sum = 0;
  for (auto& [learner, thread] : threads_) {
    sum += 1 / CostOfImprovement(thread, best);
    chances.emplace_back(sum, &thread);
    names.push_back(learner);
  }
  const double drawn = random_.Uniform() * sum;
  size_t chosen = 0;
  while (chosen + 1 < chances.size() && chances[chosen].first <= drawn) ++chosen;
  Thread& thread = *chances[chosen].second;
  ++thread.started;
  return thread.search.begun() ? thread.search.Next() : thread.search.Begin(SearchSpace(names[chosen]).CheapPosition(data_));
}

void FrugalSearch::Take(const Observation& observation) {
  const auto found = threads_.find(observation.candidate.learner);
  if (found == threads_.end()) return;
  Thread& thread = found->second;
  thread.seconds += std::max(kLeastSeconds, observation.seconds);
  thread.search.Observe(observation.candidate, observation.loss);
  if (!(observation.loss < thread.best)) return;
  thread.before_best = thread.best;
  thread.best = observation.loss;
  thread.seconds_before_best = thread.seconds_at_best;
  thread.seconds_at_best = thread.seconds;
}

// The paper's ECI: as long as the last improvement took or has been awaited; for a learner behind the best, what closing the gap takes at
// the speed of its last improvement.
double FrugalSearch::CostOfImprovement(const Thread& thread, double best) const {
  if (!std::isfinite(thread.best)) return std::max(kLeastSeconds, thread.first_seconds) * static_cast<double>(1 + thread.started);
  const double waited = std::max(thread.seconds - thread.seconds_at_best, thread.seconds_at_best - thread.seconds_before_best);
  if (thread.best <= best) return std::max(kLeastSeconds, waited);
  const double gained = thread.before_best - thread.best, spent = thread.seconds - thread.seconds_before_best;
  // With one result only there is no speed yet: halving the gap for each time that it took is assumed.
  const double close = std::isfinite(gained) && gained > 0 ? 2 * (thread.best - best) * spent / gained : 2 * thread.seconds;
  return std::max({kLeastSeconds, waited, close});
}

}  // namespace everlearn
