// Cross-validation: every candidate is fitted on the train part of every fold and measured on its validation part.
//
// Pieces (candidate × fold) run side by side; results are bit-identical on any number of threads. Safe to call from several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/folds.h"
#include "evaluation/metric.h"
#include "learner/learner.h"
#include "search/leaderboard.h"

namespace everlearn {

struct Candidate {
  std::string name;
  std::string learner;
  ParameterValues parameters;
};

struct CrossValidationOptions {
  std::string metric = {};
  uint64_t seed = 0;
  int threads = 0;                  // 0: all cores
  std::function<bool()> stop = {};  // true: what has not ended is left out, its candidates are "stopped"
  bool keep_predictions = false;
  std::function<void(size_t done, size_t all)> progress = {};  // pieces; called from any thread
};

// The seed of a fit does not depend on the candidate, so that a candidate's result does not depend on the others. Part `folds` is the
// refit on all rows.
uint64_t FitSeed(uint64_t seed, size_t part);

// One sorted row a candidate. A fit that throws Error or runs out of memory makes its candidate a failed row with the reason. Folds on
// which the metric is not defined are left out of the mean. Throws kUsage where the metric is unknown, kInterrupted never.
Leaderboard CrossValidate(const Dataset& data, const std::vector<Fold>& folds, const std::vector<Candidate>& candidates,
                          const CrossValidationOptions& options);

// The metric of a model on rows of a data set, weighted where the data has weights; `predictions`, if given, gets rows × outputs.
double Measure(const Metric& metric, const Model& model, const Dataset& data, std::span<const uint32_t> rows,
               std::vector<double>* predictions = nullptr);

// The metric of the constant model of each fold on its validation rows.
std::vector<double> ConstantValues(const Metric& metric, const Dataset& data, const std::vector<Fold>& folds);

}  // namespace everlearn
