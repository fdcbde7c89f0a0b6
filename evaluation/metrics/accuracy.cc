// Share of rows whose class is predicted.
#include "evaluation/confusion.h"

namespace everlearn {
namespace {

double Wrong(const double* probabilities, double truth, size_t classes) {
  return PredictedClass(probabilities, classes) == static_cast<size_t>(truth) ? 0 : 1;
}

double Accuracy(const Scored& scored) {
  const Confusion confusion(scored);
  return confusion.all_right / confusion.total;
}

const bool registered = Metrics().Add("accuracy", {.summary = "share of rows whose class is predicted",
                                                   .higher_is_better = true,
                                                   .binary = true,
                                                   .multiclass = true,
                                                   .compute = Accuracy,
                                                   .row_loss = Wrong});

}  // namespace
}  // namespace everlearn
