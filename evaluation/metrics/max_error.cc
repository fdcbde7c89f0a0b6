// Largest absolute error of the rows that have a weight.
#include <cmath>
#include <limits>

#include "evaluation/metric.h"

namespace everlearn {
namespace {

double MaxError(const Scored& scored) {
  double most = std::numeric_limits<double>::quiet_NaN();
  for (size_t i = 0; i < scored.rows(); ++i) {
    const double error = std::abs(scored.predictions[i] - scored.truth[i]);
    if (scored.weight(i) > 0 && !(error <= most)) most = error;
  }
  return most;
}

const bool registered = Metrics().Add(
    "max_error",
    {.summary = "largest absolute error", .higher_is_better = false, .regression = true, .compute = MaxError, .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
