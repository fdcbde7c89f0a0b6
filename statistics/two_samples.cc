#include "statistics/two_samples.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/kolmogorov_smirnov.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

namespace everlearn {
namespace {

double Sum(std::span<const double> counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

}  // namespace

TwoSampleTest KolmogorovSmirnov(std::span<const double> a, std::span<const double> b, double clumping) {
  assert(a.size() == b.size());
  const double rows_a = Sum(a), rows_b = Sum(b);
  if (rows_a <= 0 || rows_b <= 0) return {};
  double distance = 0, below_a = 0, below_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    below_a += a[i] / rows_a;
    below_b += b[i] / rows_b;
    distance = std::max(distance, std::abs(below_a - below_b));
  }
  const double root = std::sqrt(rows_a * rows_b / (rows_a + rows_b) / clumping);
  const double scaled = distance * (root + 0.12 + 0.11 / root);
  constexpr double kCertain = 0.2;  // below it p is 1 to twelve digits, and the series converges slowly
  if (scaled < kCertain) return {distance, 1};
  return {distance, boost::math::cdf(boost::math::complement(boost::math::kolmogorov_smirnov_distribution<>(1), scaled))};
}

TwoSampleTest ChiSquared(std::span<const double> a, std::span<const double> b, double clumping) {
  assert(a.size() == b.size());
  constexpr double kLeastExpected = 5;
  const double rows_a = Sum(a), rows_b = Sum(b), rows = rows_a + rows_b;
  if (rows_a <= 0 || rows_b <= 0) return {};
  const double least = kLeastExpected * rows / std::min(rows_a, rows_b);  // of a bin's two counts together
  double statistic = 0, rest_a = 0, rest_b = 0;
  size_t bins = 0;
  const auto add = [&](double in_a, double in_b) {
    const double share = (in_a + in_b) / rows;
    const double from_a = in_a - share * rows_a;
    statistic += from_a * from_a * (1 / (share * rows_a) + 1 / (share * rows_b));
    ++bins;
  };
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] + b[i] >= least) {
      add(a[i], b[i]);
    } else {
      rest_a += a[i];
      rest_b += b[i];
    }
  }
  if (rest_a + rest_b > 0) add(rest_a, rest_b);
  if (bins < 2) return {};
  statistic /= clumping;
  return {statistic, boost::math::cdf(boost::math::complement(boost::math::chi_squared(static_cast<double>(bins - 1)), statistic))};
}

double Clumping(std::span<const double> squares, std::span<const double> total, double block_rows) {
  assert(squares.size() == total.size());
  const double rows = Sum(total), blocks = rows / block_rows;
  double statistic = -rows, bins = 0;
  for (size_t i = 0; i < total.size(); ++i) {
    if (total[i] <= 0) continue;
    statistic += squares[i] / (block_rows * total[i] / rows);
    ++bins;
  }
  const double freedom = (blocks - 1) * (bins - 1);
  return freedom > 0 ? std::max(1.0, statistic / freedom) : 1.0;
}

}  // namespace everlearn
