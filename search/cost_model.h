// How long a fit will take, from the learners' formulas of their cost and from the seconds that earlier fits took.
//
// Immutable, safe to share.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "search/experience.h"
#include "search/search_space.h"

namespace everlearn {

class CostModel {
 public:
  explicit CostModel(const Experience& experience);

  // Seconds of one fit of all rows on one core. Without experience a unit is 10 ms.
  double Seconds(const Candidate& candidate, const DataDescription& data) const;

 private:
  struct Timing {
    DataDescription data;
    double log_ratio;  // of seconds to the formula's
  };
  std::map<std::string, std::vector<Timing>> of_candidate_;
  std::map<std::string, double> of_learner_;  // median of log_ratio
};

}  // namespace everlearn
