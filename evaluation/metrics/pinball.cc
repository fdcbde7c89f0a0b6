// Pinball loss of the median: half the absolute error (scikit-learn: mean_pinball_loss with alpha=0.5).
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double Pinball(const double* prediction, double truth, size_t) { return std::abs(*prediction - truth) / 2; }

const bool registered = Metrics().Add("pinball", {.summary = "pinball loss of the median",
                                                  .higher_is_better = false,
                                                  .regression = true,
                                                  .compute = [](const Scored& scored) { return MeanLoss(scored, Pinball); },
                                                  .row_loss = Pinball,
                                                  .aim = "absolute"});

}  // namespace
}  // namespace everlearn
