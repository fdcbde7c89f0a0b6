#include "learners/window_scales.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/early_moments.h"

namespace everlearn {
namespace {

constexpr size_t kGroups = 24;  // of like numbers, or of categories; missing values are one more
constexpr double kGroupsPerDeviation = 6;
constexpr double kLeastRatio = 0.01;  // a feature may still matter together with others

// The group of a value: numbers by their distance from the mean, categories by their code, the last ones together.
size_t GroupOf(double x, bool is_category, double mean, double deviation) {
  if (std::isnan(x)) return kGroups;
  if (is_category) return x >= 0 ? static_cast<size_t>(std::min(x, kGroups - 1.0)) : kGroups;
  return static_cast<size_t>(std::clamp((x - mean) / deviation * kGroupsPerDeviation + kGroups / 2.0, 0.0, kGroups - 1.0));
}

// The share of the target's variance between the groups of a feature, corrected for their number.
class CorrelationRatio {
 public:
  CorrelationRatio(const RowsView& rows, const double* target, size_t classes)
      : rows_(rows),
        target_(target),
        classes_(classes),
        outputs_(std::max<size_t>(classes, 1)),
        counts_(kGroups + 1),
        sums_((kGroups + 1) * outputs_) {
    if (classes > 0) return;
    EarlyMoments early(1);
    for (size_t i = 0; i < rows.rows; ++i) {
      target_moments_.Add(target[i]);
      early.Add({&target_moments_.count, &target_moments_.mean, &target_moments_.squares, &target_moments_.deviation}, &target[i]);
    }
  }

  double Of(size_t feature, bool is_category, double mean, double deviation) {
    std::fill(counts_.begin(), counts_.end(), 0.0);
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::vector<double> total(outputs_, 0.0);
    double squares = 0;
    for (size_t i = 0; i < rows_.rows; ++i) {
      const size_t group = GroupOf(rows_.row(i)[feature], is_category, mean, deviation);
      const double y = classes_ > 0 ? 1
                                    : std::clamp((target_[i] - target_moments_.mean) / target_moments_.deviation, -kOutlierDeviations,
                                                 kOutlierDeviations);
      const size_t k = classes_ > 0 ? static_cast<size_t>(target_[i]) : 0;
      counts_[group] += 1;
      sums_[group * outputs_ + k] += y;
      total[k] += y;
      squares += y * y;
    }
    const auto n = static_cast<double>(rows_.rows);
    double all = 0, between = 0, used = -1;
    for (const double sum : total) all += sum * sum / n;
    for (size_t g = 0; g <= kGroups; ++g) {
      if (counts_[g] == 0) continue;
      used += 1;
      for (size_t k = 0; k < outputs_; ++k) between += sums_[g * outputs_ + k] * sums_[g * outputs_ + k] / counts_[g];
    }
    const double ratio = (between - all) / (squares - all), chance = used / std::max(1.0, n - 1);
    return std::isfinite(ratio) && chance < 1 ? std::clamp((ratio - chance) / (1 - chance), 0.0, 1.0) : 0;
  }

 private:
  const RowsView& rows_;
  const double* target_;
  size_t classes_, outputs_;
  RunningMoments target_moments_;
  std::vector<double> counts_, sums_;  // groups, and groups × outputs
};

}  // namespace

void ScaleByWindow(const RowsView& rows, const double* target, size_t classes, double relevance, NeighboursParameters* form) {
  const size_t features = rows.columns;
  std::vector<double> count(features, 0.0), squares(features, 0.0), deviation(features, 1.0), factor(features, 1.0);
  std::fill(form->mean.begin(), form->mean.end(), 0.0);
  const MomentArrays moments{count.data(), form->mean.data(), squares.data(), deviation.data()};
  EarlyMoments early(features);
  std::vector<double> known(features, 0.0);  // values; `count` forgets those before an absurd one
  for (size_t i = 0; i < rows.rows; ++i) {
    AddToMoments(moments, rows.row(i), features);
    early.Add(moments, rows.row(i));
    for (size_t j = 0; j < features; ++j) known[j] += std::isnan(rows.row(i)[j]) ? 0 : 1;
  }
  CorrelationRatio ratio(rows, target, classes);
  double largest = 0;
  for (size_t j = 0; j < features; ++j) {
    if (relevance > 0) factor[j] = std::pow(kLeastRatio + ratio.Of(j, form->is_category[j], form->mean[j], deviation[j]), relevance / 2);
    largest = std::max(largest, factor[j]);
  }
  for (size_t j = 0; j < features; ++j) {
    const double share = factor[j] / largest;
    form->with_missing[j] = !form->is_category[j] && known[j] < static_cast<double>(rows.rows);
    form->scale[j] = form->is_category[j] ? share : deviation[j] / share;
    if (form->is_category[j]) form->mean[j] = 0;
  }
}

}  // namespace everlearn
