// Precision averaged over the steps of recall, without interpolation. Of class 1; or the mean of each class against the rest, over the
// classes that occur.
#include "evaluation/thresholds.h"

namespace everlearn {
namespace {

double AveragePrecision(const std::vector<ThresholdCount>& counts) {
  double sum = 0, before = 0;
  for (const ThresholdCount& count : counts) {
    if (count.positives == before) continue;
    sum += (count.positives - before) * count.positives / (count.positives + count.negatives);
    before = count.positives;
  }
  return sum / before;
}

const bool registered =
    Metrics().Add("average_precision", {.summary = "precision averaged over recall, of class 1, or the mean of each class against the rest",
                                        .higher_is_better = true,
                                        .binary = true,
                                        .multiclass = true,
                                        .compute = [](const Scored& scored) { return OneAgainstRest(scored, AveragePrecision); },
                                        .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
