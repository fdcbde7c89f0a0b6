// Share of rows whose class is among the three with the largest probability × weight of the decision, ties going to the first.
#include <algorithm>

#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

constexpr size_t kTop = 3;

bool Missed(const double* probabilities, double truth, size_t classes, std::span<const double> decision) {
  const auto actual = static_cast<size_t>(truth);
  const auto value = [&](size_t c) { return probabilities[c] * (decision.empty() ? 1 : decision[c]); };
  size_t before = 0;
  for (size_t c = 0; c < classes; ++c) before += value(c) > value(actual) || (value(c) == value(actual) && c < actual) ? 1 : 0;
  return before >= kTop;
}

double RowMissed(const double* probabilities, double truth, size_t classes) { return Missed(probabilities, truth, classes, {}) ? 1 : 0; }

double TopAccuracy(const Scored& scored) {
  return MeanLoss(scored, [&](const double* probabilities, double truth, size_t classes) {
    return Missed(probabilities, truth, classes, scored.decision) ? 0.0 : 1.0;
  });
}

const bool registered = Metrics().Add("top_3_accuracy", {.summary = "share of rows whose class is among the three likeliest",
                                                         .higher_is_better = true,
                                                         .multiclass = true,
                                                         .compute = TopAccuracy,
                                                         .row_loss = RowMissed});

}  // namespace
}  // namespace everlearn
