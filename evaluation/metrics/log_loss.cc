// Negative logarithm of the probability that was given to the true class.
#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("log_loss", {.summary = "negative natural logarithm of the probability of the true class",
                                                   .higher_is_better = false,
                                                   .binary = true,
                                                   .multiclass = true,
                                                   .compute = [](const Scored& scored) { return MeanLoss(scored, RowLogLoss); },
                                                   .row_loss = RowLogLoss});

}  // namespace
}  // namespace everlearn
