// Mean squared error of ln(1 + value). NaN where a value is ≤ −1.
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

// Without the infinities that ln(0) brings.
double Msle(const Scored& scored) {
  const double mean = MeanLoss(scored, SquaredLogError);
  return std::isfinite(mean) ? mean : std::nan("");
}

const bool registered = Metrics().Add("msle", {.summary = "mean squared error of ln(1 + value)",
                                               .higher_is_better = false,
                                               .regression = true,
                                               .compute = Msle,
                                               .row_loss = SquaredLogError});

}  // namespace
}  // namespace everlearn
