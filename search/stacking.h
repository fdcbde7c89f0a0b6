// A linear model on top of the members of an ensemble, in place of their weighted average: taken only where it is clearly better.
//
// Wolpert, Stacked generalization (1992); Breiman, Stacked regressions (1996). Pure function; equal results on any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/folds.h"
#include "model/model.h"

namespace everlearn {

struct StackingData {
  std::string metric;
  std::span<const double> truth, weights;        // weights: of rows, or none
  size_t classes = 0;                            // 0: regression
  std::vector<std::span<const double>> members;  // out-of-fold predictions, rows × outputs, NaN in rows without one
  std::span<const Fold> folds = {};              // those that the members were validated on
};

struct StackingOptions {
  std::string learner = "linear";  // of the top model; has a parameter l2
  double max_units = 500;          // of all fits of it; none is tried where it would cost more
  uint64_t seed = 0;
  std::function<bool()> stop = {};  // true: ends without a stack
};

struct Stacking {
  std::shared_ptr<const Model> top;  // null where the average is as good; else for MakeStack with the members in their order
  // Of the metric, over the rows that have predictions of all members, where neither was fitted on the row's fold; NaN where the stack was
  // not tried.
  double value, average_value;
  std::vector<double> predictions;  // of the top where there is one, rows × outputs, not fitted on the row's fold; NaN in rows without
};

// On every fold the top model is fitted on the other folds' rows (l2 of 1, 30 and 1,000: the best is taken), and the weights of the average
// chosen on them; the stack is taken where the mean loss of a row is lower by more than twice the standard error of the difference.
Stacking TryStacking(const StackingData& data, const StackingOptions& options);

}  // namespace everlearn
