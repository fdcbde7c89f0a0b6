#include "statistics/multiple_tests.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace everlearn {

std::vector<double> HolmAdjusted(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

double CauchyCombination(const std::vector<double>& p) {
  if (p.empty()) return 1;
  constexpr double kMost = 0.99;
  double sum = 0;
  for (const double value : p) {
    // At 0 and 1 the tangent has no value.
    const double inside = std::clamp(value, 1e-300, kMost);
    constexpr double kSmall = 1e-15;  // below it the tangent is 1 / (p π) to all digits, and 0.5 − p loses p
    sum += inside < kSmall ? 1 / (inside * std::numbers::pi) : std::tan((0.5 - inside) * std::numbers::pi);
  }
  const double mean = sum / static_cast<double>(p.size());
  // The upper tail of the Cauchy distribution, without cancellation.
  return mean > 0 ? std::atan(1 / mean) / std::numbers::pi : 0.5 - std::atan(mean) / std::numbers::pi;
}

}  // namespace everlearn
