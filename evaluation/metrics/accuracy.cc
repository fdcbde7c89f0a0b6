// Share of rows whose class is predicted.
#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double Wrong(const double* probabilities, double truth, size_t classes) {
  return PredictedClass(probabilities, classes) == static_cast<size_t>(truth) ? 0 : 1;
}

const bool registered = Metrics().Add("accuracy", {.summary = "share of rows whose class is predicted",
                                                   .higher_is_better = true,
                                                   .binary = true,
                                                   .multiclass = true,
                                                   .compute = [](const Scored& scored) { return 1 - MeanLoss(scored, Wrong); },
                                                   .row_loss = Wrong});

}  // namespace
}  // namespace everlearn
