// The mean of a group's targets lies nearer to a mean that was taken over the same rows than chance allows. Of m rows of a group, with a
// variance of σ² around their mean, the mean is σ²/m (or more) away from any honest expectation, squared; from the mean over n ≥ m rows,
// these among them, only σ² (1/m − 1/n). So m (mean − value)² / σ² is 1 or more on average where a column is honest, 0 where it is the very
// mean, and 1 − m/n where a part of the group is seen. Groups of equal value are one: the sum of their rows is as near. Of a class the
// target is 1 or 0, and σ² is x (1 − x) where the column says x; else each group's own. Only columns are asked that have the target's mean
// and rise by 1 as it does.
#include "guard/target_means.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_set>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr size_t kFewestRows = 60;  // that have the column
constexpr double kMostRatio = 0.7;
constexpr double kDeviations = 3;                 // that the ratio lies below 1, of a chi-squared sum of as many values as there are groups
constexpr double kMeansApart = 5;                 // standard errors between the means of target and column, at most
constexpr double kSlope = 0.3, kSlopeErrors = 4;  // its distance from 1, at most, and standard errors above 0
constexpr size_t kMostClasses = 20;               // whose shares are looked for
constexpr size_t kProbe = 5'000;                  // rows that show how many values there are,
constexpr size_t kKeptValues = 200;               // of which about so many are kept at least,
constexpr size_t kEnoughRows = 50'000;            // in tables of more rows than this

struct Moments {
  double mean = 0, variance = 0;
};

template <typename Value>
Moments MomentsOf(size_t rows, const Value& value) {
  const double n = std::max(static_cast<double>(rows), 1.0);
  Moments m;
  for (size_t i = 0; i < rows; ++i) m.mean += value(i) / n;
  for (size_t i = 0; i < rows; ++i) m.variance += (value(i) - m.mean) * (value(i) - m.mean) / n;
  return m;
}

// The rows of some of a column's values, all rows of each.
struct ColumnRows {
  std::vector<std::pair<double, double>> rows;  // value, target
  bool sorted = false;
};

size_t StepOf(const GuardInput& input, const GuardColumn& column) {
  const size_t step = std::max<size_t>(1, input.rows / kProbe);
  std::unordered_set<double> values;
  for (size_t i = 0; i < input.rows; i += step)
    if (std::isfinite(column.At(i))) values.insert(column.At(i));
  return std::clamp<size_t>(values.size() / kKeptValues, 1, std::max<size_t>(1, input.rows / kEnoughRows));
}

ColumnRows RowsOf(const GuardInput& input, const GuardColumn& column) {
  const size_t step = StepOf(input, column);
  ColumnRows some;
  for (size_t i = 0; i < input.rows; ++i) {
    const double x = column.At(i);
    if (!std::isfinite(x)) continue;
    if (step > 1 && MixBits(std::bit_cast<uint64_t>(x == 0 ? 0.0 : x)) % step != 0) continue;
    some.rows.emplace_back(x, input.target[i]);
  }
  return some;
}

// Whether the column has the target's mean, and the target rises by about 1 with it: with errors of least squares.
template <typename Target>
bool MayBeMean(const ColumnRows& some, const Moments& of_x, const Moments& of_y, const Target& y) {
  const double n = static_cast<double>(some.rows.size());
  if (some.rows.size() < kFewestRows || !(of_x.variance > 1e-6 * of_y.variance)) return false;
  if (std::abs(of_x.mean - of_y.mean) > kMeansApart * std::sqrt(of_y.variance / n)) return false;
  double together = 0;
  for (const auto& [x, target] : some.rows) together += (x - of_x.mean) * (y(target) - of_y.mean) / n;
  const double slope = together / of_x.variance;
  const double rest = std::max(0.0, of_y.variance - slope * together);
  return std::abs(slope - 1) <= kSlope && slope >= kSlopeErrors * std::sqrt(rest / of_x.variance / n);
}

// The ratio of the first comment for `y` of the target; 1 where it cannot be told.
template <typename Target>
double RatioOf(ColumnRows* some, const Moments& of_x, bool share, const Target& y) {
  const std::vector<std::pair<double, double>>& rows = some->rows;
  const size_t n = rows.size();
  const Moments of_y = MomentsOf(n, [&](size_t i) { return y(rows[i].second); });
  if (!MayBeMean(*some, of_x, of_y, y)) return 1;
  if (!some->sorted) std::sort(some->rows.begin(), some->rows.end());
  some->sorted = true;
  double groups = 0, between = 0, expected = 0, spread = 0, freedom = 0;
  for (size_t i = 0, end = 0; i < n; i = end) {
    const double x = rows[i].first;
    double sum = 0, squares = 0;
    for (end = i; end < n && rows[end].first == x; ++end) {
      const double away = y(rows[end].second) - x;
      sum += away;
      squares += away * away;
    }
    const double count = static_cast<double>(end - i);
    // A value that one row has belongs to a calibrated share as all others do; its own variance it does not tell.
    if (share ? x * (1 - x) <= 0 : end - i < 2) continue;
    const double variance = share ? x * (1 - x) : std::max(0.0, squares - sum * sum / count) / (count - 1);
    between += sum * sum / count;
    expected += variance;
    spread += share ? 2 * variance * variance + variance * (1 - 6 * variance) / count : 0;
    groups += 1;
    freedom += count - 1;
  }
  if (freedom < kFewestRows / 2.0 || !(expected > 1e-9 * of_y.variance * groups)) return 1;
  if (share && !(spread > 0)) return 1;
  const double ratio = between / expected;
  // Chi-squared of so many degrees of freedom: of shares as many as give the variance of squared binomial errors. The cube root of a mean
  // of squares is nearly normal (Wilson & Hilferty, The distribution of chi-square, 1931).
  const double degrees = share ? 2 * expected * expected / spread : groups;
  const double variance = 2 / (9 * degrees);
  return (std::cbrt(ratio) - (1 - variance)) / std::sqrt(variance) <= -kDeviations ? ratio : 1;
}

// Whether all values are shares, and not only none and all.
bool IsShare(const GuardInput& input, const GuardColumn& column) {
  bool within = false;
  for (size_t i = 0; i < input.rows; ++i) {
    const double x = column.At(i);
    if (x < 0 || x > 1) return false;
    within = within || (x > 0 && x < 1);
  }
  return within;
}

double LeastRatio(const GuardInput& input, const GuardColumn& column) {
  if (input.classes > 0 && !IsShare(input, column)) return 1;
  ColumnRows some = RowsOf(input, column);
  const Moments x = MomentsOf(some.rows.size(), [&](size_t i) { return some.rows[i].first; });
  if (input.classes == 0) return RatioOf(&some, x, false, [](double y) { return y; });
  double least = 1;
  for (size_t k = 0; k < std::min(input.classes, kMostClasses); ++k)
    least = std::min(least, RatioOf(&some, x, true, [k](double y) { return y == static_cast<double>(k) ? 1.0 : 0.0; }));
  return least;
}

}  // namespace

std::vector<GuardFinding> FindTargetMeans(const GuardInput& input) {
  std::vector<GuardFinding> findings;
  for (const GuardColumn& column : input.columns) {
    if (column.is_category || !column.used || column.is_part || column.is_time) continue;
    const double ratio = LeastRatio(input, column);
    if (ratio > kMostRatio) continue;
    findings.push_back(
        {"leak", column.name,
         fmt::format("column '{}' is the mean of the target over groups of rows, each row's own target included: the groups' "
                     "means are {:.2g} times as far from it as from an honest expectation; leave it out with --ignore {}, or "
                     "make it from other rows",
                     column.name, std::sqrt(ratio), column.name)});
  }
  return findings;
}

}  // namespace everlearn
