// Harmonic mean of precision and recall: of class 1 where there are two classes, else averaged over the classes that occur or are
// predicted. 0 where none does, as scikit-learn has it.
#include <limits>

#include "evaluation/confusion.h"

namespace everlearn {
namespace {

double F1(const Scored& scored) {
  const Confusion confusion(scored);
  if (confusion.total == 0) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  size_t seen = 0;
  for (size_t c = scored.classes == 2 ? 1 : 0; c < scored.classes; ++c) {
    const double both = confusion.truth[c] + confusion.predicted[c];
    if (both == 0) continue;
    sum += 2 * confusion.right[c] / both;
    ++seen;
  }
  return seen == 0 ? 0 : sum / static_cast<double>(seen);
}

const bool registered = Metrics().Add("f1", {.summary = "harmonic mean of precision and recall of class 1, or averaged over the classes",
                                             .higher_is_better = true,
                                             .binary = true,
                                             .multiclass = true,
                                             .compute = F1,
                                             .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
