// Weighted mean of the losses of single rows, and the losses that several measures share.
#pragma once

#include <cmath>

#include "evaluation/metric.h"

namespace everlearn {

// NaN where there are no rows.
template <typename RowLoss>
double MeanLoss(const Scored& scored, const RowLoss& row_loss) {
  const size_t width = scored.classes == 0 ? 1 : scored.classes;
  double sum = 0, weights = 0;
  for (size_t i = 0; i < scored.rows(); ++i) {
    sum += scored.weight(i) * row_loss(&scored.predictions[i * width], scored.truth[i], scored.classes);
    weights += scored.weight(i);
  }
  return sum / weights;
}

inline double SquaredError(const double* prediction, double truth, size_t) { return (*prediction - truth) * (*prediction - truth); }

inline double AbsoluteError(const double* prediction, double truth, size_t) { return std::abs(*prediction - truth); }

inline double SquaredLogError(const double* prediction, double truth, size_t) {
  const double error = std::log1p(*prediction) - std::log1p(truth);
  return error * error;
}

inline double RowLogLoss(const double* probabilities, double truth, size_t classes) {
  return LogLoss(probabilities, static_cast<size_t>(truth), classes);
}

// Of class 1 where there are two classes (in [0, 1]), summed over all classes where there are more (in [0, 2]).
inline double RowBrier(const double* probabilities, double truth, size_t classes) {
  double sum = 0;
  for (size_t c = classes == 2 ? 1 : 0; c < classes; ++c) {
    const double error = probabilities[c] - (static_cast<size_t>(truth) == c ? 1 : 0);
    sum += error * error;
  }
  return sum;
}

}  // namespace everlearn
