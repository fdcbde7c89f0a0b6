// Losses relative to those of the best constant prediction: what R² is to the squared error, for other losses.
#pragma once

#include <limits>
#include <vector>

#include "evaluation/mean_loss.h"

namespace everlearn {

// 1 − mean loss ÷ mean loss of `constant` (as wide as a prediction) for every row. Where that is never wrong: 1 when the predictions are
// not either, else 0, as scikit-learn has it. NaN below two rows.
template <typename RowLoss>
double ShareExplained(const Scored& scored, const double* constant, const RowLoss& row_loss) {
  if (scored.rows() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double loss = MeanLoss(scored, row_loss);
  const double constant_loss =
      MeanLoss(scored, [&](const double*, double truth, size_t classes) { return row_loss(constant, truth, classes); });
  if (constant_loss == 0) return loss == 0 ? 1 : 0;
  return 1 - loss / constant_loss;
}

// The constant prediction is the frequencies of the classes. NaN where only one occurs.
template <typename RowLoss>
double ShareExplainedOfClasses(const Scored& scored, const RowLoss& row_loss) {
  std::vector<double> shares(scored.classes);
  double total = 0;
  for (size_t i = 0; i < scored.rows(); ++i) {
    shares[static_cast<size_t>(scored.truth[i])] += scored.weight(i);
    total += scored.weight(i);
  }
  for (double& share : shares) {
    share /= total;
    if (share == 1) return std::numeric_limits<double>::quiet_NaN();
  }
  return ShareExplained(scored, shares.data(), row_loss);
}

}  // namespace everlearn
