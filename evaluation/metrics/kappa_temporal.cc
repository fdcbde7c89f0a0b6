// Accuracy above that of predicting the class of the row before (Žliobaitė et al. 2015); rows are in the order of time, and the first is
// left out. NaN where no-change is always right.
#include <limits>

#include "evaluation/metric.h"

namespace everlearn {
namespace {

double KappaTemporal(const Scored& scored) {
  double right = 0, no_change_right = 0, total = 0;
  for (size_t i = 1; i < scored.rows(); ++i) {
    const size_t guess = PredictedClass(&scored.predictions[i * scored.classes], scored.classes, scored.decision);
    total += scored.weight(i);
    if (guess == static_cast<size_t>(scored.truth[i])) right += scored.weight(i);
    if (scored.truth[i - 1] == scored.truth[i]) no_change_right += scored.weight(i);
  }
  if (!(total > no_change_right)) return std::numeric_limits<double>::quiet_NaN();
  return (right - no_change_right) / (total - no_change_right);
}

const bool registered = Metrics().Add("kappa_temporal", {.summary = "accuracy above that of predicting the class of the row before",
                                                         .higher_is_better = true,
                                                         .binary = true,
                                                         .multiclass = true,
                                                         .compute = KappaTemporal,
                                                         .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
