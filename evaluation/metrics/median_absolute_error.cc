// Weighted median of the absolute errors.
#include <cmath>
#include <vector>

#include "evaluation/metric.h"
#include "evaluation/weighted_median.h"

namespace everlearn {
namespace {

double MedianAbsoluteError(const Scored& scored) {
  std::vector<double> errors(scored.rows());
  for (size_t i = 0; i < errors.size(); ++i) errors[i] = std::abs(scored.predictions[i] - scored.truth[i]);
  return WeightedMedian(errors, scored.weights);
}

const bool registered = Metrics().Add("median_absolute_error", {.summary = "median of the absolute errors",
                                                                .higher_is_better = false,
                                                                .regression = true,
                                                                .compute = MedianAbsoluteError,
                                                                .row_loss = nullptr,
                                                                .aim = {{"loss", "absolute"}}});

}  // namespace
}  // namespace everlearn
