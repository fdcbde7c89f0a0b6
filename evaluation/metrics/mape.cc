// Mean absolute error relative to the truth, as a fraction. A truth of 0 counts as 2.2e-16, as scikit-learn has it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double RelativeError(const double* prediction, double truth, size_t) {
  return std::abs(*prediction - truth) / std::max(std::abs(truth), std::numeric_limits<double>::epsilon());
}

const bool registered = Metrics().Add("mape", {.summary = "mean absolute error relative to the truth, as a fraction",
                                               .higher_is_better = false,
                                               .regression = true,
                                               .compute = [](const Scored& scored) { return MeanLoss(scored, RelativeError); },
                                               .row_loss = RelativeError,
                                               .aim = {{"loss", "absolute"}}});

}  // namespace
}  // namespace everlearn
