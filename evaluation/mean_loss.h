// Weighted mean of the losses of single rows, and the losses that several measures share.
#pragma once

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

}  // namespace everlearn
