// Local search with several learners at once: each has its own LocalSearch, and the next trial goes to the learner from which an
// improvement of the best loss is expected for the least time (Wang, Wu, Weimer & Zhu, FLAML: A fast and lightweight AutoML library, MLSys
// 2021).
//
// One thread. Deterministic for a seed and equal calls.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "search/local_search.h"
#include "search/strategy.h"

namespace everlearn {

class FrugalSearch {
 public:
  explicit FrugalSearch(const StrategyContext& context);

  // A learner that was seen goes on from its best point; another begins where its fits are cheap.
  std::optional<Candidate> Next(std::span<const Observation> seen);

 private:
  struct Thread {
    LocalSearch search;
    double first_seconds = 0;                             // predicted, of its first trial
    size_t started = 0;                                   // trials given out
    double seconds = 0;                                   // of all its trials
    double seconds_at_best = 0, seconds_before_best = 0;  // K1, K2 of the paper
    double best = std::numeric_limits<double>::infinity(), before_best = std::numeric_limits<double>::infinity();
  };
  void Take(const Observation& observation);
  double CostOfImprovement(const Thread& thread, double best) const;

  DataDescription data_;
  Random random_;
  std::map<std::string, Thread> threads_;
  size_t observed_ = 0;
};

}  // namespace everlearn
