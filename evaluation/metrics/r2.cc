// Share of the variance that is explained. Where the truth is constant: 1 when it is met exactly, else 0, as scikit-learn has it; NaN below
// two rows.
#include <limits>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double R2(const Scored& scored) {
  if (scored.rows() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = MeanLoss(scored, [](const double*, double truth, size_t) { return truth; });
  const double variance = MeanLoss(scored, [&](const double*, double truth, size_t) { return SquaredError(&mean, truth, 0); });
  const double error = MeanLoss(scored, SquaredError);
  if (variance == 0) return error == 0 ? 1 : 0;
  return 1 - error / variance;
}

const bool registered = Metrics().Add("r2", {.summary = "share of the variance that is explained",
                                             .higher_is_better = true,
                                             .regression = true,
                                             .compute = R2,
                                             .row_loss = SquaredError});

}  // namespace
}  // namespace everlearn
