// Mean deviance of the Poisson distribution, for counts. NaN where a truth is negative or a prediction is not positive.
#include <cmath>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double Deviance(const double* prediction, double truth, size_t) {
  if (!(truth >= 0 && *prediction > 0)) return std::nan("");
  return 2 * ((truth == 0 ? 0 : truth * std::log(truth / *prediction)) - truth + *prediction);
}

const bool registered = Metrics().Add("poisson_deviance", {.summary = "mean deviance of the Poisson distribution",
                                                           .higher_is_better = false,
                                                           .regression = true,
                                                           .compute = [](const Scored& scored) { return MeanLoss(scored, Deviance); },
                                                           .row_loss = Deviance,
                                                           .aim = {{"loss", "poisson"}}});

}  // namespace
}  // namespace everlearn
