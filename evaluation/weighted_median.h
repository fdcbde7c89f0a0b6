// The median of weighted values.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

namespace everlearn {

// The mean of the middle two where the weights split evenly. No weights: all 1. NaN where nothing has a weight.
inline double WeightedMedian(const std::vector<double>& values, std::span<const double> weights) {
  const auto weight = [&](size_t i) { return weights.empty() ? 1.0 : weights[i]; };
  std::vector<size_t> order;
  double total = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (weight(i) == 0) continue;
    order.push_back(i);
    total += weight(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] != values[b] ? values[a] < values[b] : a < b; });
  double below = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    below += weight(order[i]);
    if (below < total / 2) continue;
    const double value = values[order[i]];
    return below == total / 2 && i + 1 < order.size() ? (value + values[order[i + 1]]) / 2 : value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace everlearn
