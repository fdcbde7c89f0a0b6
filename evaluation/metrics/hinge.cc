// One less the margin of the probability of the true class above the largest other (Crammer and Singer 2001); in [0, 2]. scikit-learn:
// hinge_loss of the probabilities, with two classes of their difference.
#include <algorithm>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

double Hinge(const double* probabilities, double truth, size_t classes) {
  const auto actual = static_cast<size_t>(truth);
  double other = 0;
  for (size_t c = 0; c < classes; ++c)
    if (c != actual) other = std::max(other, probabilities[c]);
  return std::max(0.0, 1 - (probabilities[actual] - other));
}

const bool registered = Metrics().Add("hinge", {.summary = "one less the margin of the true class's probability above the largest other",
                                                .higher_is_better = false,
                                                .binary = true,
                                                .multiclass = true,
                                                .compute = [](const Scored& scored) { return MeanLoss(scored, Hinge); },
                                                .row_loss = Hinge});

}  // namespace
}  // namespace everlearn
