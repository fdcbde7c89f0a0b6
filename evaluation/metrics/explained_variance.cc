// Share of the variance that is explained when a constant error is forgiven. Where the truth is constant: 1 when the errors are too, else
// 0, as scikit-learn has it; NaN below two rows.
#include <limits>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double ExplainedVariance(const Scored& scored) {
  if (scored.rows() < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto variance = [&](const auto& value) {
    const double mean = MeanLoss(scored, value);
    return MeanLoss(scored, [&](const double* prediction, double truth, size_t classes) {
      const double distance = value(prediction, truth, classes) - mean;
      return distance * distance;
    });
  };
  const double of_errors = variance([](const double* prediction, double truth, size_t) { return truth - *prediction; });
  const double of_truth = variance([](const double*, double truth, size_t) { return truth; });
  if (of_truth == 0) return of_errors == 0 ? 1 : 0;
  return 1 - of_errors / of_truth;
}

const bool registered =
    Metrics().Add("explained_variance", {.summary = "share of the variance that is explained, a constant error forgiven",
                                         .higher_is_better = true,
                                         .regression = true,
                                         .compute = ExplainedVariance,
                                         .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
