// Intervals and sets of labels from out-of-fold predictions.
//
// Pure function. Rows count alike, whatever their weight. What is promised is the coverage over rows like these, for models of folds; a
// model of all rows is a little better.
#pragma once

#include <span>

#include "model/intervals.h"

namespace everlearn {

// `predictions`: rows × outputs, NaN in rows without one, which are left out. `coverage`: the default that the model keeps (0: none).
// None where no row has a prediction.
Intervals FitIntervals(std::span<const double> truth, std::span<const double> predictions, size_t classes, double coverage);

}  // namespace everlearn
