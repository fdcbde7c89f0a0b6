// Expected calibration error (Naeini et al., AAAI 2015; Guo et al., ICML 2017): mean distance between probability and frequency over 15
// bins of equal width. Of class 1; or, with more classes, of the predicted class being right.
#include <algorithm>
#include <array>
#include <cmath>

#include "evaluation/metric.h"

namespace everlearn {
namespace {

constexpr size_t kBins = 15;

double CalibrationError(const Scored& scored) {
  std::array<double, kBins> excess{};  // sum of probability − outcome
  double total = 0;
  for (size_t i = 0; i < scored.rows(); ++i) {
    const double* row = &scored.predictions[i * scored.classes];
    const size_t sought = scored.classes == 2 ? 1 : PredictedClass(row, scored.classes, scored.decision);
    const auto bin = std::min(kBins - 1, static_cast<size_t>(row[sought] * static_cast<double>(kBins)));
    excess[bin] += scored.weight(i) * (row[sought] - (static_cast<size_t>(scored.truth[i]) == sought ? 1 : 0));
    total += scored.weight(i);
  }
  double sum = 0;
  for (const double bin : excess) sum += std::abs(bin);
  return sum / total;
}

const bool registered = Metrics().Add("calibration_error", {.summary = "mean distance between probability and frequency over 15 bins",
                                                            .higher_is_better = false,
                                                            .binary = true,
                                                            .multiclass = true,
                                                            .compute = CalibrationError,
                                                            .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
