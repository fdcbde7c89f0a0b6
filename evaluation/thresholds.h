// How many rows of a class, and of the others, score at or above each distinct probability of it.
#pragma once

#include <vector>

#include "evaluation/metric.h"

namespace everlearn {

struct ThresholdCount {
  double positives = 0, negatives = 0;  // weighted, cumulative
};

// From the highest probability of class `positive` down; the last entry counts all rows. Empty where there are none.
std::vector<ThresholdCount> CountAtThresholds(const Scored& scored, size_t positive);

// The chance that a row of the class scores above one of the others, ties half. NaN where there is only one kind of row.
double AreaUnderRoc(const std::vector<ThresholdCount>& counts);

// Mean of `measure`(counts) over the classes that occur, NaN where only one does; of class 1 alone where there are two.
template <typename Measure>
double OneAgainstRest(const Scored& scored, const Measure& measure) {
  double sum = 0;
  size_t occurring = 0;
  for (size_t c = scored.classes == 2 ? 1 : 0; c < scored.classes; ++c) {
    const std::vector<ThresholdCount> counts = CountAtThresholds(scored, c);
    if (counts.empty() || counts.back().positives == 0) continue;
    sum += measure(counts);
    ++occurring;
  }
  return sum / static_cast<double>(occurring);
}

}  // namespace everlearn
