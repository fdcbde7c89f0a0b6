// Mean squared error.
#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("mse", {.summary = "mean squared error",
                                              .higher_is_better = false,
                                              .regression = true,
                                              .compute = [](const Scored& scored) { return MeanLoss(scored, SquaredError); },
                                              .row_loss = SquaredError});

}  // namespace
}  // namespace everlearn
