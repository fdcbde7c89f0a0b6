// Mean absolute error.
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double AbsoluteError(const double* prediction, double truth, size_t) { return std::abs(*prediction - truth); }

const bool registered = Metrics().Add("mae", {.summary = "mean absolute error",
                                              .higher_is_better = false,
                                              .regression = true,
                                              .compute = [](const Scored& scored) { return MeanLoss(scored, AbsoluteError); },
                                              .row_loss = AbsoluteError});

}  // namespace
}  // namespace everlearn
