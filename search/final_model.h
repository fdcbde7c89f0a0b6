// From the trials of a search to the model that it gives: the ensemble of the best ones' fold models.
//
// Pure functions of the trials.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "search/trials.h"

namespace everlearn {

struct FinalModelOptions {
  uint64_t seed = 0;
  double max_latency = 0;                                   // seconds a row of the model; 0: no limit
  double stacking_units = 0;                                // that a linear model over the members may cost; 0: none is tried
  size_t most_models = std::numeric_limits<size_t>::max();  // of a bag: those of the first folds
  // Fits trials, the heaviest member first, again on all rows, and gives the models (ModelBytes) of those that there is time for. Asked for
  // members that one fold model would stand for. Empty: none is fitted again.
  std::function<std::map<size_t, std::string>(const std::vector<size_t>& trials)> refit = {};
  std::function<bool()> stop = {};  // true: the choice of members ends with what there is
};

struct FinalModel {
  std::shared_ptr<const Model> model;
  std::vector<size_t> members;      // trials; none where the model is the constant
  std::vector<double> weights;      // of these
  std::vector<size_t> models;       // of each: how many of its fold models are in its bag; 0: it is one model of all rows
  std::vector<double> predictions;  // out of fold: rows × outputs, NaN where the members have none in common
  std::vector<double> fold_values;  // of the metric, on the folds that all members have
  double train_value = kMissing;    // mean of the members' on rows they were fitted on; NaN for the constant
  bool stacked = false;             // a linear model over the members took the place of their average
  double seconds_per_row = 0;       // to predict
};

// Never without a model: `constant` where no trial has one, or none is better.
FinalModel MakeFinalModel(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                          std::shared_ptr<const Model> constant, const FinalModelOptions& options);

// The trials that would be members by now, the heaviest first, and behind them the next best few.
std::vector<size_t> WantedTrials(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                                 const FinalModelOptions& options);

}  // namespace everlearn
