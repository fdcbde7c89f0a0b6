#include "statistics/distribution_distance.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace everlearn {
namespace {

double Sum(std::span<const double> counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

}  // namespace

double WassersteinDistance(const WeightedPoints& a, const WeightedPoints& b) {
  assert(a.positions.size() == a.weights.size() && b.positions.size() == b.weights.size());
  const double weight_a = Sum(a.weights), weight_b = Sum(b.weights);
  if (weight_a <= 0 || weight_b <= 0) return 0;
  double distance = 0, below_a = 0, below_b = 0, position = 0;
  for (size_t i = 0, j = 0; i < a.positions.size() || j < b.positions.size();) {
    const bool take_a = j == b.positions.size() || (i < a.positions.size() && a.positions[i] <= b.positions[j]);
    const double next = take_a ? a.positions[i] : b.positions[j];
    if (i + j > 0) distance += std::abs(below_a - below_b) * (next - position);
    position = next;
    if (take_a) below_a += a.weights[i++] / weight_a;
    else below_b += b.weights[j++] / weight_b;
  }
  return distance;
}

double JensenShannonDistance(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  const double rows_a = Sum(a), rows_b = Sum(b);
  if (rows_a <= 0 || rows_b <= 0) return 0;
  double divergence = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double p = a[i] / rows_a, q = b[i] / rows_b, middle = (p + q) / 2;
    if (p > 0) divergence += p * std::log2(p / middle) / 2;
    if (q > 0) divergence += q * std::log2(q / middle) / 2;
  }
  return std::sqrt(std::clamp(divergence, 0.0, 1.0));
}

double PopulationStabilityIndex(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  constexpr double kAdded = 0.5;
  const double added = kAdded * static_cast<double>(a.size()), rows_a = Sum(a) + added, rows_b = Sum(b) + added;
  double index = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double p = (a[i] + kAdded) / rows_a, q = (b[i] + kAdded) / rows_b;
    index += (p - q) * std::log(p / q);
  }
  return index;
}

}  // namespace everlearn
