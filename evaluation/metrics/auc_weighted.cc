// Area under the ROC curve of each class against the rest, averaged by the rows of the class. NaN where one class occurs.
#include <limits>
#include <vector>

#include "evaluation/thresholds.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  double sum = 0, rows = 0;
  for (size_t c = 0; c < scored.classes; ++c) {
    const std::vector<ThresholdCount> counts = CountAtThresholds(scored, c);
    if (counts.empty() || counts.back().positives == 0) continue;
    sum += counts.back().positives * AreaUnderRoc(counts);
    rows += counts.back().positives;
  }
  return rows == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / rows;
}

const bool registered =
    Metrics().Add("auc_weighted", {.summary = "area under the ROC curve of each class against the rest, averaged by their rows",
                                   .higher_is_better = true,
                                   .multiclass = true,
                                   .compute = Compute,
                                   .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
