// nearest_neighbours: asks the training rows that are most like a row. Good where the target moves smoothly with a few numbers; its errors
// differ from those of trees, which makes it a part of ensembles. Slow to predict, so that the stored rows are limited.
//
// Cover & Hart, Nearest neighbor pattern classification, 1967; votes by inverse distance: Dudani 1976, Shepard 1968. Numbers are
// standardised; features that say more of the target by themselves may count more (their correlation ratio: Fisher, Statistical methods for
// research workers, 1925).
#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "kernels/moments.h"
#include "learners/constant.h"
#include "model/neighbours.h"

namespace everlearn {

namespace {

std::vector<Parameter> Declare() {
  using enum ParameterType;
  constexpr auto kLog = ParameterScale::kLog;
  return {
      {.name = "neighbours",
       .type = kInteger,
       .value = 15,
       .low = 1,
       .high = 1000,
       .scale = kLog,
       .doc = "Rows that are asked.",
       .search = SearchRange{1, 200}},
      {.name = "votes", .type = kChoice, .value = 1, .choices = {"equal", "by_distance"}, .doc = "What the vote of a neighbour weighs."},
      {.name = "relevance",
       .value = 0.5,
       .low = 0,
       .high = 2,
       .doc = "How far a feature's scale follows from how much it says of the target by itself; 0: not at all.",
       .search = SearchRange{0, 2}},
      {.name = "category_distance",
       .value = 1,
       .low = 0.01,
       .high = 100,
       .scale = kLog,
       .doc = "How far apart two categories are, in standard deviations of a number.",
       .search = SearchRange{0.1, 10}},
      {.name = "rows",
       .type = kInteger,
       .value = 20'000,
       .low = 100,
       .high = 1'000'000,
       .scale = kLog,
       .doc = "Most rows that are stored; of more, a draw of so many.",
       .search = SearchRange{20000, 20000}},
      {.name = "prior_rows",
       .value = 1,
       .low = 1e-6,
       .high = 100,
       .scale = kLog,
       .doc = "Rows of average class shares among the voters.",
       .search = SearchRange{0.1, 10}}};
}

// Up to `most` of the rows that have a weight, ascending.
std::vector<uint32_t> DrawRows(const TrainingRows& training, size_t most, uint64_t seed) {
  std::vector<uint32_t> rows;
  for (const uint32_t row : training.rows) {
    if (training.data->weight(row) > 0) rows.push_back(row);
  }
  if (rows.size() <= most) return rows;
  Random random(seed);
  random.Shuffle(std::span(rows));
  rows.resize(most);
  std::sort(rows.begin(), rows.end());
  return rows;
}

// The share of the target's variance that lies between groups of like values of one feature, corrected for their number; for classes, of
// the variance of their indicators (Goodman & Kruskal's tau).
double CorrelationRatio(const Dataset& data, const std::vector<uint32_t>& rows, size_t feature) {
  constexpr uint32_t kMostGroups = 24;
  const BinnedColumn& column = data.binned().columns[feature];
  const bool coarse = !column.is_category && column.bins > kMostGroups;
  const size_t groups = (coarse ? kMostGroups : column.bins) + 1, outputs = data.outputs();
  std::vector<double> sums(groups * outputs, 0.0), counts(groups, 0.0), total(outputs, 0.0);
  const double first = data.target()[rows.front()];  // close to the others, so that squares lose nothing
  double squares = 0;
  for (const uint32_t row : rows) {
    const uint32_t code = column.code(row);
    const size_t group = code == column.bins ? groups - 1 : coarse ? code * kMostGroups / column.bins : code;
    const double y = data.classes() == 0 ? data.target()[row] - first : 1;
    const size_t k = data.classes() == 0 ? 0 : static_cast<size_t>(data.target()[row]);
    counts[group] += 1;
    sums[group * outputs + k] += y;
    total[k] += y;
    squares += y * y;
  }
  const auto n = static_cast<double>(rows.size());
  double all = 0, between = 0, used = -1;
  for (const double sum : total) all += sum * sum / n;
  for (size_t g = 0; g < groups; ++g) {
    if (counts[g] == 0) continue;
    used += 1;
    for (size_t k = 0; k < outputs; ++k) between += sums[g * outputs + k] * sums[g * outputs + k] / counts[g];
  }
  const double ratio = (between - all) / (squares - all), chance = used / std::max(1.0, n - 1);
  return std::isfinite(ratio) && chance < 1 ? std::clamp((ratio - chance) / (1 - chance), 0.0, 1.0) : 0;
}

void SetScales(const Dataset& data, const std::vector<uint32_t>& rows, const ParameterValues& values, NeighboursParameters* model) {
  constexpr double kLeastRatio = 0.01;  // a feature may still matter together with others
  const double relevance = values.Number("relevance");
  std::vector<double> factors(data.features(), 1.0);
  double largest = 0;
  for (size_t j = 0; relevance > 0 && j < factors.size(); ++j) {
    factors[j] = std::pow(kLeastRatio + CorrelationRatio(data, rows, j), relevance / 2);
    largest = std::max(largest, factors[j]);
  }
  for (size_t j = 0; j < factors.size(); ++j) {
    const double factor = largest > 0 ? factors[j] / largest : 1;
    const auto value = [&](size_t i) { return data.row(rows[i])[j]; };
    const auto missing = [&](uint32_t row) { return std::isnan(data.row(row)[j]); };
    const bool is_category = data.is_category(j);
    const Moments moments = is_category ? Moments{} : MomentsOf(rows.size(), value, [&](size_t i) { return data.weight(rows[i]); });
    model->is_category.push_back(is_category);
    model->with_missing.push_back(!is_category && std::any_of(rows.begin(), rows.end(), missing));
    model->mean.push_back(moments.mean);
    model->scale.push_back(is_category ? values.Number("category_distance") * factor : moments.deviation / factor);
  }
}

void StoreRows(const Dataset& data, const std::vector<uint32_t>& rows, NeighboursParameters* model) {
  std::vector<float> coordinates;
  std::vector<uint32_t> codes;
  for (size_t i = 0; i < rows.size(); ++i) {
    coordinates.clear();
    codes.clear();
    EmbedNeighbour(*model, data.row(rows[i]), &coordinates, &codes);
    model->coordinates.resize(coordinates.size() * rows.size());
    model->codes.resize(codes.size() * rows.size());
    for (size_t d = 0; d < coordinates.size(); ++d) model->coordinates[d * rows.size() + i] = coordinates[d];
    for (size_t c = 0; c < codes.size(); ++c) {
      model->codes[c * rows.size() + i] = static_cast<uint16_t>(std::min<uint32_t>(codes[c], kMissingNeighbourCode));
    }
    model->target.push_back(data.target()[rows[i]]);
    model->weight.push_back(data.weight(rows[i]));
  }
}

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const Dataset& data = *training.data;
  const std::vector<uint32_t> rows = DrawRows(training, static_cast<size_t>(values.Integer("rows")), options.seed);
  if (data.features() == 0 || rows.empty()) return FitConstant(training);
  NeighboursParameters model;
  model.outputs = data.outputs();
  model.classes = data.classes() > 0;
  model.neighbours = static_cast<uint32_t>(values.Integer("neighbours"));
  model.by_distance = values.Choice("votes") == "by_distance";
  SetScales(data, rows, values, &model);
  StoreRows(data, rows, &model);
  if (model.classes) {
    model.prior_rows = values.Number("prior_rows");
    model.prior.resize(data.classes());
    FitConstant(training)->PredictRow(nullptr, model.prior.data());
  }
  return MakeNeighbours(std::move(model));
}

double CostUnits(double rows, double features, double, const ParameterValues& values) {
  // 20 ns a value to bin, embed and store it; then, as much as a fold is measured on, 0.3 ns a value of every stored row.
  constexpr double kStoredCell = 2e-6, kComparedCell = 3e-8, kMeasuredShare = 1.0 / 7, kMeasuredTrainRows = 2'000;
  const double stored = std::min(rows, values.Number("rows")), measured = kMeasuredShare * rows + std::min(rows, kMeasuredTrainRows);
  return (features + 2) * (kStoredCell * rows + kComparedCell * stored * measured);
}

const bool registered = Learners().Add(
    "nearest_neighbours",
    LearnerInfo{
        .summary = "The training rows that are most like a row: for smooth targets and few features, and a part of ensembles.",
        .paper = "Cover, T. and Hart, P. (1967). Nearest neighbor pattern classification. IEEE Transactions on Information Theory 13.",
        .parameters = Declare(),
        .binary = true,
        .multiclass = true,
        .regression = true,
        .weights = true,
        .exceptions = {"WeightsMatter: by distance, a training row asks nobody but itself"},
        .cost_units = CostUnits,
        .fit = Fit});

}  // namespace

}  // namespace everlearn
