// Mean absolute error.
#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("mae", {.summary = "mean absolute error",
                                              .higher_is_better = false,
                                              .regression = true,
                                              .compute = [](const Scored& scored) { return MeanLoss(scored, AbsoluteError); },
                                              .row_loss = AbsoluteError,
                                              .aim = {{"loss", "absolute"}}});

}  // namespace
}  // namespace everlearn
