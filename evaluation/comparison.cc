#include "evaluation/comparison.h"

#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

namespace everlearn {

Estimate MeanOverFolds(std::span<const double> values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (!std::isnan(value)) sum += value, ++count;
  }
  const double mean = sum / count;
  double squares = 0;
  for (const double value : values) {
    if (!std::isnan(value)) squares += (value - mean) * (value - mean);
  }
  return {mean, count < 2 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(squares / (count - 1) / count)};
}

Estimate PairedDifference(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  std::vector<double> differences(a.size());
  for (size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
  return MeanOverFolds(differences);
}

}  // namespace everlearn
