// Matthews correlation of true and predicted class, for any number of classes (Gorodkin 2004). 0 where one of them is constant, as
// scikit-learn has it.
#include <cmath>
#include <limits>

#include "evaluation/confusion.h"

namespace everlearn {
namespace {

double Correlation(const Scored& scored) {
  const Confusion confusion(scored);
  if (confusion.total == 0) return std::numeric_limits<double>::quiet_NaN();
  const double total = confusion.total;
  double both = confusion.all_right * total, truth = total * total, predicted = total * total;
  for (size_t c = 0; c < scored.classes; ++c) {
    both -= confusion.truth[c] * confusion.predicted[c];
    truth -= confusion.truth[c] * confusion.truth[c];
    predicted -= confusion.predicted[c] * confusion.predicted[c];
  }
  const double product = truth * predicted;
  return product > 0 ? both / std::sqrt(product) : 0;
}

const bool registered = Metrics().Add("mcc", {.summary = "Matthews correlation of true and predicted class",
                                              .higher_is_better = true,
                                              .binary = true,
                                              .multiclass = true,
                                              .compute = Correlation,
                                              .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
