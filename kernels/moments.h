// Weighted mean and standard deviation of numbers of any size, missing ones left out.
//
// Pure function, safe from any thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace everlearn {

struct Moments {
  double mean = 0, deviation = 1;
};

// Of value(0) … value(rows - 1), NaN left out, with weight(i) >= 0; sums are taken of values divided by the largest, so that none
// overflows. The deviation of a constant is 1.
template <typename Value, typename Weight>
Moments MomentsOf(size_t rows, Value value, Weight weight) {
  double largest = 0, total = 0, sum = 0, squares = 0;
  const auto held = [&](size_t i) { return std::clamp(value(i), -1e307, 1e307); };
  for (size_t i = 0; i < rows; ++i)
    if (!std::isnan(value(i))) largest = std::max(largest, std::abs(held(i)));
  if (largest == 0) return {};
  for (size_t i = 0; i < rows; ++i) {
    if (std::isnan(value(i))) continue;
    total += weight(i);
    sum += weight(i) * (held(i) / largest);
  }
  if (total == 0) return {};
  const double mean = sum / total;
  for (size_t i = 0; i < rows; ++i)
    if (!std::isnan(value(i))) squares += weight(i) * (held(i) / largest - mean) * (held(i) / largest - mean);
  const double deviation = std::sqrt(squares / total);
  return {mean * largest, deviation > 1e-12 ? deviation * largest : 1.0};
}

}  // namespace everlearn
