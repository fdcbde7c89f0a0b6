// Mean deviance of the gamma distribution, which looks at ratios. NaN where a truth or a prediction is not positive.
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double Deviance(const double* prediction, double truth, size_t) {
  if (!(truth > 0 && *prediction > 0)) return std::nan("");
  return 2 * (std::log(*prediction / truth) + truth / *prediction - 1);
}

const bool registered = Metrics().Add("gamma_deviance", {.summary = "mean deviance of the gamma distribution",
                                                         .higher_is_better = false,
                                                         .regression = true,
                                                         .compute = [](const Scored& scored) { return MeanLoss(scored, Deviance); },
                                                         .row_loss = Deviance,
                                                         .aim = {{"loss", "gamma"}}});

}  // namespace
}  // namespace everlearn
