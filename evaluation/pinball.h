// The pinball loss, which the quantile of a level minimises: Koenker & Bassett, Regression quantiles (1978). scikit-learn:
// mean_pinball_loss with alpha=level.
#pragma once

#include <string>

#include "evaluation/mean_loss.h"

namespace everlearn {

// `level`: as it is written, such as "0.9", in (0, 1).
inline Metric PinballMetric(const std::string& level) {
  const auto row_loss = [alpha = std::stod(level)](const double* prediction, double truth, size_t) {
    return truth >= *prediction ? alpha * (truth - *prediction) : (1 - alpha) * (*prediction - truth);
  };
  return {.summary = "pinball loss of the quantile " + level,
          .higher_is_better = false,
          .regression = true,
          .compute = [row_loss](const Scored& scored) { return MeanLoss(scored, row_loss); },
          .row_loss = row_loss,
          .aim = {{"loss", "quantile"}, {"quantile", level}}};
}

}  // namespace everlearn
