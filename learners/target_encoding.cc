// Sums of each value's rows in each of five folds; a training row's statistics are those of the value less its own fold's.
#include "learners/target_encoding.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "kernels/ordered_statistics.h"

namespace everlearn {

namespace {

constexpr size_t kFolds = 5;
constexpr size_t kMostClasses = 12;  // with more, a group would have too many statistics
constexpr size_t kMostCrossed = 12;  // features whose pairs are looked at: those that explain most
constexpr double kLargestInteger = 9e15;

}  // namespace

TargetEncoding::TargetEncoding(const TrainingRows& training, std::span<const uint32_t> validation, const TargetEncodingOptions& options)
    : source_(training), options_(options) {
  if (training.data->classes() > kMostClasses) return;
  MakeTargets();
  AddCodings(options.least_values);
  for (uint32_t c = 0; c < codings_.size(); ++c) groups_.push_back(MakeGroup({c}));
  if (options.crosses > 0) AddCrosses(options.crosses);
  if (empty()) return;
  extended_ = ExtendRows(training, validation, groups_.size() * (components_ + 1),
                         [this](size_t i, uint32_t row, double* out) { Append(i, row, out); });
}

void TargetEncoding::MakeTargets() {
  const Dataset& data = *source_.data;
  components_ = data.classes() > 2 ? data.classes() : 1;
  targets_.assign(source_.rows.size() * components_, 0.0);
  means_.assign(components_, 0.0);
  std::vector<uint32_t> order(source_.rows.size());
  std::iota(order.begin(), order.end(), 0u);
  Random random(options_.seed);
  random.Shuffle(std::span(order));
  folds_.resize(order.size());
  for (size_t i = 0; i < order.size(); ++i) folds_[order[i]] = static_cast<uint8_t>(i % kFolds);
  double weights = 0;
  for (size_t i = 0; i < source_.rows.size(); ++i) {
    const double y = data.target()[source_.rows[i]], weight = data.weight(source_.rows[i]);
    targets_[i * components_ + (components_ > 1 ? static_cast<size_t>(y) : 0)] = components_ > 1 ? 1 : y;
    weights += weight;
    for (size_t k = 0; k < components_; ++k) means_[k] += weight * targets_[i * components_ + k];
  }
  for (double& mean : means_) mean = weights > 0 ? mean / weights : 0;
}

void TargetEncoding::AddCodings(size_t least_values) {
  for (uint32_t j = 0; j < source_.data->features(); ++j) {
    FeatureCoding coding{j, source_.data->dictionary_size(j), {}};
    if (!source_.data->is_category(j)) {
      if (!IntegerValues(j, &coding.numbers)) continue;
      coding.size = coding.numbers.size();
    }
    if (coding.size >= least_values) codings_.push_back(std::move(coding));
  }
}

// The distinct values of a number that has only integers, each twice on average.
bool TargetEncoding::IntegerValues(size_t feature, std::vector<double>* values) const {
  for (const uint32_t row : source_.rows) {
    const double x = source_.data->row(row)[feature];
    if (std::isnan(x)) continue;
    if (x != std::floor(x) || std::abs(x) > kLargestInteger) return false;
    values->push_back(x);
  }
  const size_t present = values->size();
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
  return !values->empty() && values->size() * 2 <= present;
}

TargetEncoding::Group TargetEncoding::MakeGroup(std::vector<uint32_t> codings) const {
  const size_t rows = source_.rows.size(), width = components_ + 1, stride = components_ + 1;  // of sums: weight, weighted targets
  Group group;
  group.statistics.codings = std::move(codings);
  std::vector<uint64_t> keys(rows);
  for (size_t i = 0; i < rows; ++i) keys[i] = GroupKey(codings_, group.statistics.codings, source_.data->row(source_.rows[i]));
  std::vector<uint32_t> of_row;
  group.statistics.keys = NumberKeys(keys, &of_row);
  const size_t count = group.statistics.keys.size();
  std::vector<double> all(count * stride, 0.0), in_fold(count * stride * kFolds, 0.0);
  for (size_t i = 0; i < rows; ++i) {
    const double weight = source_.data->weight(source_.rows[i]);
    double* total = all.data() + of_row[i] * stride;
    double* part = in_fold.data() + (of_row[i] * kFolds + folds_[i]) * stride;
    total[0] += weight;
    part[0] += weight;
    for (size_t k = 0; k < components_; ++k) {
      total[1 + k] += weight * targets_[i * components_ + k];
      part[1 + k] += weight * targets_[i * components_ + k];
    }
  }
  const auto statistic = [&](const double* sums, const double* less, double* out) {
    const double weight = std::max(0.0, sums[0] - (less == nullptr ? 0 : less[0]));
    for (size_t k = 0; k < components_; ++k) {
      const double sum = sums[1 + k] - (less == nullptr ? 0 : less[1 + k]);
      out[k] = (sum + options_.strength * means_[k]) / (weight + options_.strength);
    }
    // As if all rows were there: four of five are.
    out[components_] = std::log1p(less == nullptr ? weight : weight * kFolds / (kFolds - 1));
  };
  group.statistics.values.resize(count * width);
  for (size_t g = 0; g < count; ++g) statistic(all.data() + g * stride, nullptr, group.statistics.values.data() + g * width);
  group.statistics.unseen = means_;
  group.statistics.unseen.push_back(0);
  group.out_of_fold.resize(rows * width);
  for (size_t i = 0; i < rows; ++i) {
    double* out = group.out_of_fold.data() + i * width;
    statistic(all.data() + of_row[i] * stride, in_fold.data() + (of_row[i] * kFolds + folds_[i]) * stride, out);
    for (size_t k = 0; k < components_; ++k) {
      const double y = targets_[i * components_ + k], weight = source_.data->weight(source_.rows[i]);
      group.explained += weight * ((y - means_[k]) * (y - means_[k]) - (y - out[k]) * (y - out[k]));
    }
  }
  return group;
}

void TargetEncoding::AddCrosses(size_t most) {
  std::vector<uint32_t> best(groups_.size());
  std::iota(best.begin(), best.end(), 0u);
  std::stable_sort(best.begin(), best.end(), [&](uint32_t a, uint32_t b) { return groups_[a].explained > groups_[b].explained; });
  best.resize(std::min(best.size(), kMostCrossed));
  std::sort(best.begin(), best.end());
  std::vector<Group> found;
  for (size_t a = 0; a < best.size(); ++a) {
    for (size_t b = a + 1; b < best.size(); ++b) {
      const std::vector<uint32_t> pair{best[a], best[b]};
      if (!KeysFit(codings_, pair)) continue;
      Group group = MakeGroup(pair);
      if (group.explained > std::max({0.0, groups_[best[a]].explained, groups_[best[b]].explained})) found.push_back(std::move(group));
    }
    std::stable_sort(found.begin(), found.end(), [](const Group& x, const Group& y) { return x.explained > y.explained; });
    if (found.size() > most) found.resize(most);
  }
  std::move(found.begin(), found.end(), std::back_inserter(groups_));
}

// The i-th training row has its out-of-fold statistics, a row behind those the ones of all training rows.
void TargetEncoding::Append(size_t i, uint32_t row, double* out) const {
  const size_t width = components_ + 1;
  for (const Group& group : groups_) {
    const StatisticsGroup& statistics = group.statistics;
    const double* own = group.out_of_fold.data() + i * width;
    if (i >= source_.rows.size()) {
      const uint64_t key = GroupKey(codings_, statistics.codings, source_.data->row(row));
      const auto at = std::lower_bound(statistics.keys.begin(), statistics.keys.end(), key);
      const bool known = at != statistics.keys.end() && *at == key;
      own = known ? statistics.values.data() + static_cast<size_t>(at - statistics.keys.begin()) * width : statistics.unseen.data();
    }
    out = std::copy_n(own, width, out);
  }
}

std::shared_ptr<const Model> TargetEncoding::Wrap(std::shared_ptr<const Model> inner) const {
  TargetStatisticsParameters parameters;
  parameters.features = source_.data->features();
  parameters.codings = codings_;
  for (const Group& group : groups_) parameters.groups.push_back(group.statistics);
  parameters.inner = std::move(inner);
  return MakeTargetStatistics(std::move(parameters));
}

}  // namespace everlearn
