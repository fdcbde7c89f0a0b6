// What is made of out-of-fold predictions once a search has its model: calibration, the decision between classes, intervals.
//
// Pure function; equal results for equal seeds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "data/task.h"
#include "model/intervals.h"
#include "model/model.h"

namespace everlearn {

struct FinishingOptions {
  std::vector<double> decision = {};  // as the costs say (cli/decision_flags.h); empty: tuned where the metric looks at the class
  double coverage = 0;                // default of the intervals; 0: none
  bool calibrate = true;
  uint64_t seed = 0;
  std::function<bool()> stop = {};  // true: no time is left for a better calibration
};

struct Finished {
  std::shared_ptr<const Model> model;  // calibrated, where that helps
  std::vector<double> decision;        // for Task::decision; empty: none
  Intervals intervals;
  std::vector<double> predictions;  // out of fold, as the finished model would make them
  // {"calibration": name} (classification), "decision": {label: weight} where there is one, "coverage": {"asked", "measured", "width" or
  // "labels"} on rows that the intervals were not made from, where a coverage is asked for.
  JsonObject report;
};

// `predictions`: rows × outputs of the model's members out of fold, mixed as in the model; NaN in rows without one. `weights`: of rows, or
// none. Nothing but the decision of the options is added where there are no predictions.
Finished Finish(std::shared_ptr<const Model> model, const Task& task, std::span<const double> truth, std::vector<double> predictions,
                std::span<const double> weights, const FinishingOptions& options);

}  // namespace everlearn
