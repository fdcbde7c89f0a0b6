// Prepares and grows the columns of one fit.
#include "learners/symmetric_columns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace everlearn {

namespace {

constexpr double kMissingBound = -std::numeric_limits<double>::infinity();  // above it: every number
constexpr double kLargestInteger = 9007199254740992.0;                      // 2^53
constexpr size_t kMostIntegerValues = size_t{1} << 20;
constexpr size_t kMostCandidates = 400;            // combinations that are looked at
constexpr size_t kMostCandidateRows = 20'000'000;  // and their rows, in all
constexpr double kClearlyMore = 1.05;
constexpr size_t kMostBoundValues = 20'000;

template <typename T>
void Release(std::vector<T>* values) {
  std::vector<T>().swap(*values);
}

}  // namespace

SymmetricColumns::SymmetricColumns(const TrainingRows& training, const FitOptions& fit, std::vector<std::vector<float>> targets,
                                   std::vector<float> weights, const SymmetricColumnsOptions& options)
    : training_(training),
      validation_rows_(fit.validation),
      stop_(fit.stop),
      targets_(std::move(targets)),
      weights_(std::move(weights)),
      options_(options) {
  const Dataset& data = *training.data;
  const size_t rows = training.rows.size();
  double total = 0;
  for (const float weight : weights_) total += static_cast<double>(weight);
  for (const std::vector<float>& target : targets_) {
    double sum = 0;
    for (size_t i = 0; i < rows; ++i) sum += static_cast<double>(weights_[i]) * static_cast<double>(target[i]);
    priors_.push_back(total > 0 ? sum / total : 0);
  }
  for (size_t p = 0; p < options.permutations; ++p) {
    orders_.emplace_back(rows);
    std::iota(orders_.back().begin(), orders_.back().end(), 0u);
    Random random = Random::Derive(options.seed, p);
    random.Shuffle(std::span(orders_.back()));
  }
  for (size_t j = 0; j < data.features(); ++j) {
    const bool free = fit.monotone.empty() || fit.monotone[j] == 0;
    FeatureCoding coding{static_cast<uint32_t>(j), data.dictionary_size(j), {}};
    if (data.is_category(j)) {
      if (coding.size <= options.one_hot_max_size) AddOneVersusRest(j, coding);
      AddCoding(std::move(coding));
    } else {
      AddNumber(j);
      if (options.integers && free && MakeIntegerCoding(j, &coding)) AddCoding(std::move(coding));
    }
  }
  // Each coded feature has its statistics, but for categories that are split one against the rest, and integers whose order says as much.
  std::vector<float> gradients(rows * SymmetricTreeGrower::Width(targets_.size()));
  const size_t width = SymmetricTreeGrower::Width(targets_.size());
  for (size_t i = 0; i < rows; ++i) {
    gradients[i * width] = weights_[i];
    for (size_t t = 0; t < targets_.size(); ++t)
      gradients[i * width + 1 + t] = weights_[i] * (targets_[t][i] - static_cast<float>(priors_[t]));
  }
  for (uint32_t c = 0; c < codings_.size();) {
    const bool is_number = !codings_[c].numbers.empty();
    const bool plain_only = !is_number && codings_[c].size <= options.one_hot_max_size;
    if (!plain_only) {
      Group group = MakeGroup({c});
      Score(&group, gradients, targets_.size());
      if (is_number && group.explained <= kClearlyMore * ExplainedByOrder(codings_[c].feature, gradients)) {
        codings_.erase(codings_.begin() + c);
        coded_.erase(coded_.begin() + c);
        coded_validation_.erase(coded_validation_.begin() + c);
        continue;
      }
      single_explained_.push_back(group.explained);
      AddGroup(std::move(group));
    } else {
      single_explained_.push_back(0);
    }
    ++c;
  }
  MakeViews();
}

// What a number explains by its order alone, in as many bins as a statistic has.
double SymmetricColumns::ExplainedByOrder(size_t feature, std::span<const float> statistics) const {
  const auto column = std::find_if(columns_.begin(), columns_.end(), [&](const Column& c) { return c.group < 0 && c.feature == feature; });
  const std::vector<uint8_t>& codes = column->codes[0];
  std::vector<double> sorted(codes.begin(), codes.end());
  const std::vector<double> bounds = EqualShareBounds(&sorted, options_.statistic_bins);
  std::vector<uint8_t> coarse(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) coarse[i] = CodeOf(bounds, codes[i]);
  return Explained(coarse, statistics, targets_.size());
}

void SymmetricColumns::AddNumber(size_t feature) {
  const BinnedColumn& binned = training_.data->binned().columns[feature];
  Column column;
  column.feature = static_cast<uint32_t>(feature);
  const auto code = [&](uint32_t row) {
    const uint32_t c = binned.code(row);
    return static_cast<uint8_t>(c == binned.bins ? 0 : c + 1);
  };
  column.codes.emplace_back();
  column.codes[0].reserve(training_.rows.size());
  for (const uint32_t row : training_.rows) column.codes[0].push_back(code(row));
  for (const uint32_t row : validation_rows_) column.validation.push_back(code(row));
  column.bins = binned.bins + 1;
  column.bounds = {kMissingBound};
  column.bounds.insert(column.bounds.end(), binned.upper.begin(), binned.upper.end() - 1);
  columns_.push_back(std::move(column));
}

void SymmetricColumns::AddOneVersusRest(size_t feature, const FeatureCoding& coding) {
  if (coding.radix() > 256) return;
  const Dataset& data = *training_.data;
  Column column;
  column.feature = static_cast<uint32_t>(feature);
  column.one_versus_rest = true;
  column.bins = static_cast<uint32_t>(coding.radix());
  column.last_candidate = static_cast<uint32_t>(coding.size);  // the last: missing
  column.codes.emplace_back();
  for (const uint32_t row : training_.rows) column.codes[0].push_back(static_cast<uint8_t>(coding.Code(data.row(row)[feature])));
  for (const uint32_t row : validation_rows_) column.validation.push_back(static_cast<uint8_t>(coding.Code(data.row(row)[feature])));
  columns_.push_back(std::move(column));
}

void SymmetricColumns::AddCoding(FeatureCoding coding) {
  const Dataset& data = *training_.data;
  std::vector<uint32_t> codes, validation;
  for (const uint32_t row : training_.rows) codes.push_back(static_cast<uint32_t>(coding.Code(data.row(row)[coding.feature])));
  for (const uint32_t row : validation_rows_) validation.push_back(static_cast<uint32_t>(coding.Code(data.row(row)[coding.feature])));
  codings_.push_back(std::move(coding));
  coded_.push_back(std::move(codes));
  coded_validation_.push_back(std::move(validation));
}

// Integers whose values repeat: on average at least twice.
bool SymmetricColumns::MakeIntegerCoding(size_t feature, FeatureCoding* coding) const {
  const Dataset& data = *training_.data;
  std::vector<double> values;
  for (const uint32_t row : training_.rows) {
    const double value = data.row(row)[feature];
    if (std::isnan(value)) continue;
    if (value != std::floor(value) || std::abs(value) > kLargestInteger) return false;
    values.push_back(value);
  }
  const size_t present = values.size();
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.size() <= 2 || values.size() * 2 > present || values.size() > kMostIntegerValues) return false;
  coding->size = values.size();
  coding->numbers = std::move(values);
  return true;
}

SymmetricColumns::Group SymmetricColumns::MakeGroup(std::vector<uint32_t> codings) const {
  Group group;
  group.codings = std::move(codings);
  const auto key_of = [&](const std::vector<std::vector<uint32_t>>& codes, size_t i) {
    uint64_t key = 0;
    for (const uint32_t c : group.codings) key = key * codings_[c].radix() + codes[c][i];
    return key;
  };
  std::vector<uint64_t> keys(training_.rows.size());
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = key_of(coded_, i);
  group.keys = NumberKeys(keys, &group.of_row);
  for (size_t i = 0; i < validation_rows_.size(); ++i) {
    const uint64_t key = key_of(coded_validation_, i);
    const auto found = std::lower_bound(group.keys.begin(), group.keys.end(), key);
    const bool known = found != group.keys.end() && *found == key;
    group.of_validation.push_back(
        static_cast<uint32_t>(known ? found - group.keys.begin() : static_cast<std::ptrdiff_t>(group.keys.size())));
  }
  return group;
}

// visit(statistic, values of the rows, values of the keys, value of an unseen key): smoothed means of each component, then the count.
template <typename Visit>
void SymmetricColumns::ForEachStatistic(const Group& group, size_t permutation, Visit visit) const {
  const size_t rows = training_.rows.size();
  std::vector<GroupSum> totals, before(rows);
  std::vector<double> values(rows), of_keys(group.keys.size());
  size_t statistic = 0;
  for (size_t t = 0; t < targets_.size(); ++t) {
    OrderedSums(group.of_row, group.keys.size(), orders_[permutation], weights_, targets_[t], &totals, before);
    for (size_t i = 0; i < rows; ++i) values[i] = before[i].Mean(priors_[t], options_.smoothing);
    for (size_t k = 0; k < totals.size(); ++k) of_keys[k] = totals[k].Mean(priors_[t], options_.smoothing);
    visit(statistic++, values, of_keys, priors_[t]);
  }
  for (size_t k = 0; k < totals.size(); ++k) of_keys[k] = totals[k].weight;
  for (size_t i = 0; i < rows; ++i) values[i] = of_keys[group.of_row[i]];
  visit(statistic, values, of_keys, 0.0);
}

// Sum of squares of the gradients that the codes explain, less what codes without meaning would.
double SymmetricColumns::Explained(std::span<const uint8_t> codes, std::span<const float> statistics, size_t outputs) const {
  const size_t width = SymmetricTreeGrower::Width(outputs);
  std::vector<double> sums(256 * (outputs + 1), 0.0);
  double squares = 0, weight = 0;
  for (size_t i = 0; i < codes.size(); ++i) {
    const float* row = statistics.data() + i * width;
    double* sum = sums.data() + codes[i] * (outputs + 1);
    for (size_t k = 0; k <= outputs; ++k) sum[k] += static_cast<double>(row[k]);
    for (size_t k = 1; k <= outputs; ++k) squares += row[0] > 0 ? static_cast<double>(row[k] * row[k] / row[0]) : 0.0;
    weight += static_cast<double>(row[0]);
  }
  double explained = 0, used = -1;
  for (size_t b = 0; b < 256; ++b) {
    const double* sum = sums.data() + b * (outputs + 1);
    if (!(sum[0] > 0)) continue;
    used += 1;
    for (size_t k = 1; k <= outputs; ++k) explained += sum[k] * sum[k] / sum[0];
  }
  return weight > 0 ? explained - used * squares / weight : 0;
}

void SymmetricColumns::Score(Group* group, std::span<const float> statistics, size_t outputs) const {
  const size_t rows = training_.rows.size();
  std::vector<double> sample;
  // Bounds of one category's statistics lie between those of its values, as prediction has them: a bound amid the running means of a large
  // category would only tell early rows from late ones, whose targets are those that the mean still lacks.
  const bool single = group->codings.size() == 1;
  ForEachStatistic(*group, 0, [&](size_t, const std::vector<double>& values, const std::vector<double>& of_keys, double unseen) {
    sample.clear();
    const size_t step = rows / kMostBoundValues + 1;
    for (size_t i = 0; i < rows; i += step) sample.push_back(single ? of_keys[group->of_row[i]] : values[i]);
    group->bounds.push_back(EqualShareBounds(&sample, options_.statistic_bins));
    std::vector<uint8_t> codes(rows);
    for (size_t i = 0; i < rows; ++i) codes[i] = CodeOf(group->bounds.back(), values[i]);
    const double explained = Explained(codes, statistics, outputs);
    group->explained = std::max(group->explained, explained);
    group->codes.push_back(std::move(codes));
    group->values.insert(group->values.end(), of_keys.begin(), of_keys.end());
    group->unseen.push_back(unseen);
  });
}

void SymmetricColumns::AddGroup(Group group) {
  const size_t statistics = group.unseen.size(), keys = group.keys.size();
  const size_t first = columns_.size();
  for (size_t s = 0; s < statistics; ++s) {
    Column column;
    column.group = static_cast<int64_t>(groups_.size());
    column.statistic = s;
    column.bounds = group.bounds[s];
    column.bins = static_cast<uint32_t>(column.bounds.size() + 1);
    column.codes.push_back(std::move(group.codes[s]));
    for (const uint32_t k : group.of_validation)
      column.validation.push_back(CodeOf(column.bounds, k == keys ? group.unseen[s] : group.values[s * keys + k]));
    columns_.push_back(std::move(column));
  }
  for (size_t p = 1; p < orders_.size(); ++p) {
    ForEachStatistic(group, p, [&](size_t s, const std::vector<double>& values, const std::vector<double>&, double) {
      Column& column = columns_[first + s];
      std::vector<uint8_t> codes(values.size());
      for (size_t i = 0; i < values.size(); ++i) codes[i] = CodeOf(column.bounds, values[i]);
      column.codes.push_back(std::move(codes));
    });
  }
  Release(&group.of_row);
  Release(&group.of_validation);
  Release(&group.codes);
  groups_.push_back(std::move(group));
}

void SymmetricColumns::AddCombinations(size_t size, size_t most, std::span<const float> statistics, size_t outputs) {
  std::vector<std::vector<uint32_t>> wanted;
  const auto want = [&](std::vector<uint32_t> codings) {
    std::sort(codings.begin(), codings.end());
    if (std::adjacent_find(codings.begin(), codings.end()) != codings.end() || !KeysFit(codings_, codings)) return;
    if (std::find(wanted.begin(), wanted.end(), codings) == wanted.end()) wanted.push_back(codings);
  };
  if (size == 2) {
    for (uint32_t a = 0; a < codings_.size(); ++a)
      for (uint32_t b = a + 1; b < codings_.size(); ++b) want({a, b});
  } else {
    for (const Group& group : groups_) {
      if (group.codings.size() != size - 1) continue;
      for (uint32_t c = 0; c < codings_.size(); ++c) {
        std::vector<uint32_t> codings = group.codings;
        codings.push_back(c);
        want(std::move(codings));
      }
    }
  }
  // Where there are more than there is time for, those of the strongest categories.
  const auto strength = [&](const std::vector<uint32_t>& codings) {
    double sum = 0;
    for (const uint32_t c : codings) sum += single_explained_[c];
    return sum;
  };
  const size_t limit = std::clamp<size_t>(kMostCandidateRows / training_.rows.size(), 10, kMostCandidates);
  std::stable_sort(wanted.begin(), wanted.end(), [&](const auto& a, const auto& b) { return strength(a) > strength(b); });
  if (wanted.size() > limit) wanted.resize(limit);
  std::vector<Group> best;  // the best first
  for (const std::vector<uint32_t>& codings : wanted) {
    if (stop_ && stop_()) return;
    Group group = MakeGroup(codings);
    if (group.keys.size() * 10 > training_.rows.size() * 9) continue;  // hardly a value repeats
    Score(&group, statistics, outputs);
    if (!(group.explained > 0)) continue;
    const auto place =
        std::upper_bound(best.begin(), best.end(), group, [](const Group& a, const Group& b) { return a.explained > b.explained; });
    best.insert(place, std::move(group));
    if (best.size() > most) best.pop_back();
  }
  for (Group& group : best) AddGroup(std::move(group));
  MakeViews();
}

void SymmetricColumns::MakeViews() {
  views_.assign(orders_.size(), {});
  validation_views_.clear();
  for (const Column& column : columns_) {
    for (size_t p = 0; p < orders_.size(); ++p) {
      const std::vector<uint8_t>& codes = column.codes[column.codes.size() == 1 ? 0 : p];
      views_[p].push_back({codes.data(), column.bins, column.one_versus_rest, column.last_candidate});
    }
    validation_views_.push_back({column.validation.data(), column.bins, column.one_versus_rest, column.last_candidate});
  }
}

int64_t SymmetricColumns::FeatureOf(size_t column) const { return columns_[column].group < 0 ? columns_[column].feature : -1; }

std::shared_ptr<const Model> SymmetricColumns::Finish(SymmetricTreesParameters trees, std::span<const SymmetricSplit> splits) const {
  TargetStatisticsParameters statistics;
  statistics.features = training_.data->features();
  // The statistics that are used, as features behind those of the data.
  std::vector<std::vector<bool>> used(groups_.size());
  for (size_t g = 0; g < groups_.size(); ++g) used[g].assign(groups_[g].unseen.size(), false);
  for (const SymmetricSplit& split : splits) {
    const Column& column = columns_[split.column];
    if (column.group >= 0) used[static_cast<size_t>(column.group)][column.statistic] = true;
  }
  std::vector<int64_t> coding_place(codings_.size(), -1);
  std::vector<std::vector<uint32_t>> feature(groups_.size());
  auto next = static_cast<uint32_t>(statistics.features);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    const size_t keys = group.keys.size();
    feature[g].resize(used[g].size());
    std::vector<size_t> places;
    for (size_t s = 0; s < used[g].size(); ++s) {
      if (!used[g][s]) continue;
      feature[g][s] = next++;
      places.push_back(s);
    }
    if (places.empty()) continue;
    StatisticsGroup saved;
    for (const uint32_t c : group.codings) {
      if (coding_place[c] < 0) {
        coding_place[c] = static_cast<int64_t>(statistics.codings.size());
        statistics.codings.push_back(codings_[c]);
      }
      saved.codings.push_back(static_cast<uint32_t>(coding_place[c]));
    }
    saved.keys = group.keys;
    for (size_t k = 0; k < keys; ++k)
      for (const size_t s : places) saved.values.push_back(group.values[s * keys + k]);
    for (const size_t s : places) saved.unseen.push_back(group.unseen[s]);
    statistics.groups.push_back(std::move(saved));
  }
  for (const SymmetricSplit& split : splits) {
    const Column& column = columns_[split.column];
    const bool is_missing = column.one_versus_rest && split.code == column.last_candidate;
    trees.feature.push_back(column.group < 0 ? column.feature : feature[static_cast<size_t>(column.group)][column.statistic]);
    trees.equal.push_back(column.one_versus_rest);
    trees.threshold.push_back(is_missing ? kMissingBound : column.one_versus_rest ? split.code : column.bounds[split.code]);
  }
  trees.features = next;
  auto inner = MakeSymmetricTrees(std::move(trees));
  if (statistics.groups.empty()) return inner;
  statistics.inner = std::move(inner);
  return MakeTargetStatistics(std::move(statistics));
}

}  // namespace everlearn
