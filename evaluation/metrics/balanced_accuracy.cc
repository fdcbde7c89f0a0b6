// Recall of each class, averaged over the classes that occur.
#include <limits>

#include "evaluation/confusion.h"

namespace everlearn {
namespace {

double BalancedAccuracy(const Scored& scored) {
  const Confusion confusion(scored);
  double sum = 0;
  size_t occurring = 0;
  for (size_t c = 0; c < scored.classes; ++c) {
    if (confusion.truth[c] == 0) continue;
    sum += confusion.right[c] / confusion.truth[c];
    ++occurring;
  }
  return occurring == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(occurring);
}

const bool registered = Metrics().Add("balanced_accuracy", {.summary = "recall of each class, averaged over the classes that occur",
                                                            .higher_is_better = true,
                                                            .binary = true,
                                                            .multiclass = true,
                                                            .compute = BalancedAccuracy,
                                                            .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
