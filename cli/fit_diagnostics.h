// What the figures of a fit say about bias and variance: training rows against out-of-fold rows, folds against each other, fewer rows
// against all.
//
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/search_flags.h"

namespace everlearn {

struct Diagnosis {
  JsonObject figures;                // "train", "out_of_fold", "test" (null where not given), "folds", "learning_curve", "notes"
  std::vector<std::string> remarks;  // for people; also figures["notes"]
};

// `test`: the metric on the rows of --test, NaN without one.
Diagnosis Diagnose(const SearchedModel& model, double test);

}  // namespace everlearn
