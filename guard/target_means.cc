// The mean of a group's targets lies nearer to a mean that was taken over the same rows than chance allows. Of m rows of a group, with a
// variance of σ² around their mean, the mean is σ²/m (or more) away from any honest expectation, squared; from the mean over n ≥ m rows,
// these among them, only σ² (1/m − 1/n). So m (mean − value)² / σ² is 1 or more on average where a column is honest, 0 where it is the very
// mean, and 1 − m/n where a part of the group is seen.
#include "guard/target_means.h"

#include <fmt/format.h>

#include <cmath>
#include <unordered_map>

namespace everlearn {
namespace {

constexpr size_t kFewestGroups = 30;  // of two or more rows
constexpr double kMostRatio = 0.7;
constexpr double kDeviations = 4;    // that the ratio lies below 1
constexpr double kMeansApart = 5;    // standard errors between the means of target and column, at most
constexpr size_t kMostClasses = 20;  // whose shares are looked for

struct Group {
  double rows = 0, sum = 0, squares = 0;
};

struct Moments {
  double rows = 0, mean = 0, variance = 0;
};

// Over the rows where the column is there.
template <typename Value>
Moments MomentsOf(const GuardInput& input, const GuardColumn& column, const Value& value) {
  Moments m;
  double squares = 0;
  for (size_t i = 0; i < input.rows; ++i) {
    if (!std::isfinite(column.At(i))) continue;
    m.rows += 1;
    const double away = value(i) - m.mean;
    m.mean += away / m.rows;
    squares += away * (value(i) - m.mean);
  }
  m.variance = squares / std::max(m.rows, 1.0);
  return m;
}

// The ratio of the first comment; 1 where it cannot be told.
template <typename Target>
double RatioOf(const GuardInput& input, const GuardColumn& column, const Moments& x_moments, const Target& y) {
  const Moments m = MomentsOf(input, column, y);
  if (m.rows < 2 * kFewestGroups || !(m.variance > 0)) return 1;
  if (std::abs(x_moments.mean - m.mean) > kMeansApart * std::sqrt(m.variance / m.rows)) return 1;
  if (x_moments.variance > 2 * m.variance || x_moments.variance < 1e-4 * m.variance) return 1;
  std::unordered_map<double, Group> groups;
  for (size_t i = 0; i < input.rows; ++i) {
    const double x = column.At(i);
    if (!std::isfinite(x)) continue;
    Group& group = groups[x];
    const double away = y(i) - x;
    group.rows += 1;
    group.sum += away;
    group.squares += away * away;
  }
  double many = 0, between = 0, within = 0, freedom = 0;
  for (const auto& [x, group] : groups) {
    if (group.rows < 2) continue;
    many += 1;
    between += group.sum * group.sum / group.rows;
    within += std::max(0.0, group.squares - group.sum * group.sum / group.rows);
    freedom += group.rows - 1;
  }
  if (many < kFewestGroups || !(within > 1e-9 * m.variance * freedom)) return 1;
  const double ratio = (between / many) / (within / freedom);
  return ratio + kDeviations * std::sqrt(2 / many) * ratio < 1 ? ratio : 1;
}

double LeastRatio(const GuardInput& input, const GuardColumn& column) {
  const Moments x = MomentsOf(input, column, [&](size_t i) { return column.At(i); });
  if (input.classes == 0) return RatioOf(input, column, x, [&](size_t i) { return input.target[i]; });
  if (x.mean < 0 || x.mean > 1 || x.variance > 0.25) return 1;  // no mean of shares
  double least = 1;
  for (size_t k = input.classes == 2 ? 1 : 0; k < std::min(input.classes, kMostClasses); ++k)
    least = std::min(least, RatioOf(input, column, x, [&](size_t i) { return input.target[i] == static_cast<double>(k) ? 1.0 : 0.0; }));
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
