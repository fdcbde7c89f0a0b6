// Local search in the parameters of one learner: a step into a random direction, then the opposite one; moves to what is better, and takes
// smaller steps after failures (FLOW2 of Wu, Wang & Huang, Frugal optimization for cost-related hyperparameters, AAAI 2021). Since it
// begins where fits are cheap and moves only to better points, most of its trials cost little more than they have to.
//
// One thread. Deterministic for a seed and equal calls.
#pragma once

#include <deque>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "search/search_space.h"

namespace everlearn {

class LocalSearch {
 public:
  LocalSearch(const std::string& learner, uint64_t seed);

  // Where it begins; its loss is not known yet.
  Candidate Begin(std::vector<double> position);
  // The next point to try. May be called again before the last one was observed.
  Candidate Next();
  // A trial of this learner ended, one proposed here or any other; NaN: it failed. A point better than the best becomes the place from
  // which the search goes on.
  void Observe(const Candidate& candidate, double loss);

  bool begun() const { return !place_.empty(); }

 private:
  struct Step {
    std::vector<double> direction;
    bool is_opposite = false;
  };
  Candidate Take(Step step);
  std::vector<double> Moved(const std::vector<double>& direction);
  void Fail();

  SearchSpace space_;
  Random random_;
  double first_step_, step_;
  std::vector<double> place_;  // the best point so far
  double loss_ = std::numeric_limits<double>::infinity();
  size_t failures_ = 0;                       // pairs of steps since the last success
  std::map<std::string, Step> open_;          // steps without a result, by the candidate's key
  std::deque<std::vector<double>> opposite_;  // to be tried next
};

}  // namespace everlearn
