// Root of the mean squared error of ln(1 + value). NaN where a value is ≤ −1.
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

// Without the infinities that ln(0) brings.
double Rmsle(const Scored& scored) {
  const double mean = MeanLoss(scored, SquaredLogError);
  return std::isfinite(mean) ? std::sqrt(mean) : std::nan("");
}

const bool registered = Metrics().Add("rmsle", {.summary = "root of the mean squared error of ln(1 + value)",
                                                .higher_is_better = false,
                                                .regression = true,
                                                .compute = Rmsle,
                                                .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
