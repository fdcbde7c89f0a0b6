#include "evaluation/thresholds.h"

#include <algorithm>
#include <numeric>

namespace everlearn {

std::vector<ThresholdCount> CountAtThresholds(const Scored& scored, size_t positive) {
  const auto score = [&](size_t row) { return scored.predictions[row * scored.classes + positive]; };
  std::vector<size_t> order(scored.rows());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score(a) != score(b) ? score(a) > score(b) : a < b; });

  std::vector<ThresholdCount> counts;
  ThresholdCount count;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t row = order[i];
    (static_cast<size_t>(scored.truth[row]) == positive ? count.positives : count.negatives) += scored.weight(row);
    if (i + 1 == order.size() || score(order[i + 1]) != score(row)) counts.push_back(count);
  }
  return counts;
}

double AreaUnderRoc(const std::vector<ThresholdCount>& counts) {
  double area = 0;
  ThresholdCount before;
  for (const ThresholdCount& count : counts) {
    area += (count.negatives - before.negatives) * (count.positives + before.positives) / 2;
    before = count;
  }
  return area / (before.positives * before.negatives);
}

}  // namespace everlearn
