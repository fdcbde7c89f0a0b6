// Weighted median of the absolute errors; the mean of the middle two where the weights split evenly.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "evaluation/metric.h"

namespace everlearn {
namespace {

double MedianAbsoluteError(const Scored& scored) {
  std::vector<std::pair<double, double>> errors;  // with weights
  double total = 0;
  for (size_t i = 0; i < scored.rows(); ++i) {
    if (scored.weight(i) == 0) continue;
    errors.emplace_back(std::abs(scored.predictions[i] - scored.truth[i]), scored.weight(i));
    total += scored.weight(i);
  }
  std::sort(errors.begin(), errors.end());
  double below = 0;
  for (size_t i = 0; i < errors.size(); ++i) {
    below += errors[i].second;
    if (below < total / 2) continue;
    return below == total / 2 && i + 1 < errors.size() ? (errors[i].first + errors[i + 1].first) / 2 : errors[i].first;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

const bool registered = Metrics().Add("median_absolute_error", {.summary = "median of the absolute errors",
                                                                .higher_is_better = false,
                                                                .regression = true,
                                                                .compute = MedianAbsoluteError,
                                                                .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
