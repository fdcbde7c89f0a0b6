// Root of the mean squared error.
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("rmse", {.summary = "root of the mean squared error",
                                               .higher_is_better = false,
                                               .regression = true,
                                               .compute = [](const Scored& scored) { return std::sqrt(MeanLoss(scored, SquaredError)); },
                                               .row_loss = SquaredError});

}  // namespace
}  // namespace everlearn
