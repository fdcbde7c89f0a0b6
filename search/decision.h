// Weights of classes that make the predicted class best for a measure, chosen on out-of-fold predictions.
//
// Two classes: a threshold. More: weights (class share)^-t, and for few classes each weight on its own from there (coordinate ascent).
// Chosen on halves of the rows and checked on the others, several times; the geometric mean of the choices is kept. Pure function.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "evaluation/metric.h"

namespace everlearn {

// Whether a measure looks at the predicted class (accuracy, f1) or at the probabilities alone.
bool DependsOnDecision(const Metric& metric);

// One weight > 0 a class, their geometric mean 1. Empty where the measure does not look at the predicted class, or where no weights are
// better than none on rows that they were not chosen on by more than noise. `predictions`: rows × classes, NaN in rows without one;
// `weights`: of rows, or none.
std::vector<double> TuneDecision(const Metric& metric, std::span<const double> truth, std::span<const double> predictions,
                                 std::span<const double> weights, size_t classes, uint64_t seed);

}  // namespace everlearn
