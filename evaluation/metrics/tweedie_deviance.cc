// Mean deviance of the Tweedie distribution of power 1.5, for amounts that are often 0. NaN where a truth is negative or a prediction is
// not positive. scikit-learn: mean_tweedie_deviance with power=1.5.
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

// 2 (y^(2−p) / ((1−p)(2−p)) − y μ^(1−p) / (1−p) + μ^(2−p) / (2−p)) with p = 1.5.
double Deviance(const double* prediction, double truth, size_t) {
  if (!(truth >= 0 && *prediction > 0)) return std::nan("");
  const double root = std::sqrt(*prediction);
  return 4 * (truth / root + root - 2 * std::sqrt(truth));
}

const bool registered = Metrics().Add("tweedie_deviance", {.summary = "mean deviance of the Tweedie distribution of power 1.5",
                                                           .higher_is_better = false,
                                                           .regression = true,
                                                           .compute = [](const Scored& scored) { return MeanLoss(scored, Deviance); },
                                                           .row_loss = Deviance,
                                                           .aim = {{"loss", "tweedie"}}});

}  // namespace
}  // namespace everlearn
