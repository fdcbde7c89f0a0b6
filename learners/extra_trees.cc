// extra_trees: the average of deep trees whose splits are drawn at random, the best of a few. Quicker to grow than a random forest, and
// smoother; errs in other places than boosting does, so it is a good part of an ensemble.
//
// Geurts, Ernst & Wehenkel, Extremely randomized trees, Machine Learning 63, 2006. One tree predicts all classes. Leaves hold class shares
// as m-estimates (Cestnik 1990), which are averaged.
#include <algorithm>

#include "base/parallel.h"
#include "learners/constant.h"
#include "learners/tree_growth.h"

namespace everlearn {

namespace {

constexpr size_t kTreesBetweenStops = 8;

std::vector<Parameter> Declare() {
  using enum ParameterType;
  constexpr auto kLog = ParameterScale::kLog;
  return {{.name = "trees",
           .type = kInteger,
           .value = 100,
           .low = 1,
           .high = 10'000,
           .scale = kLog,
           .doc = "Trees; each predicts all classes.",
           .search = SearchRange{100, 300}},
          {.name = "leaves",
           .type = kInteger,
           .value = 16'384,
           .low = 2,
           .high = 65'536,
           .scale = kLog,
           .doc = "Most leaves of a tree.",
           .search = SearchRange{16384, 16384}},
          {.name = "min_data_in_leaf",
           .type = kInteger,
           .value = 1,
           .low = 1,
           .high = 10'000,
           .scale = kLog,
           .doc = "Fewest rows in a leaf.",
           .search = SearchRange{1, 50}},
          {.name = "feature_fraction",
           .value = 0.5,
           .low = 0.01,
           .high = 1,
           .doc = "Share of the features that a node draws a split of.",
           .search = SearchRange{0.1, 1}},
          {.name = "bagging_fraction",
           .value = 1,
           .low = 0.01,
           .high = 1,
           .doc = "Share of the rows that a tree is grown on.",
           .search = SearchRange{1, 1}},
          {.name = "prior_rows",
           .value = 0.5,
           .low = 0.01,
           .high = 100,
           .scale = kLog,
           .doc = "Rows of average class shares that are added to each leaf.",
           .search = SearchRange{0.05, 5}}};
}

// A draw without replacement, ascending.
std::vector<uint32_t> DrawRows(const std::vector<uint32_t>& rows, double fraction, Random* random) {
  if (fraction >= 1) return rows;
  size_t wanted = std::max<size_t>(1, static_cast<size_t>(fraction * static_cast<double>(rows.size())));
  std::vector<uint32_t> drawn;
  for (size_t i = 0; i < rows.size() && wanted > 0; ++i) {
    if (random->Below(rows.size() - i) >= wanted) continue;
    drawn.push_back(rows[i]);
    --wanted;
  }
  return drawn;
}

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const Dataset& data = *training.data;
  const auto has_weight = [&](uint32_t row) { return data.weight(row) > 0; };
  if (data.features() == 0 || std::none_of(training.rows.begin(), training.rows.end(), has_weight)) return FitConstant(training);
  GrowthOptions growth;
  growth.random_splits = true;
  growth.feature_fraction = values.Number("feature_fraction");
  growth.leaves = values.Integer("leaves");
  growth.min_rows = values.Integer("min_data_in_leaf");
  growth.prior_rows = values.Number("prior_rows");
  const TreeGrower grower(training, growth);
  const auto trees = static_cast<size_t>(values.Integer("trees"));
  TreesParameters all;
  for (size_t first = 0; first < trees; first += kTreesBetweenStops) {
    if (first > 0 && options.stop && options.stop()) break;
    std::vector<TreesParameters> some(std::min(kTreesBetweenStops, trees - first));
    ParallelFor(some.size(), options.threads, [&](size_t i) {
      Random random = Random::Derive(options.seed, first + i);
      some[i] = grower.Grow(DrawRows(grower.rows(), values.Number("bagging_fraction"), &random), &random);
    });
    for (TreesParameters& tree : some) {
      if (all.leaves.empty()) {
        all = std::move(tree);
      } else {
        AppendTrees(tree, &all);
      }
    }
  }
  ShareLeafValues(&all);
  return MakeTrees(std::move(all));
}

double CostUnits(double rows, double features, double outputs, const ParameterValues& values) {
  return ForestGrowthCostUnits(rows * values.Number("bagging_fraction"), features * values.Number("feature_fraction"), outputs,
                               values.Number("trees"), std::min(values.Number("leaves"), rows / values.Number("min_data_in_leaf")));
}

const bool registered = Learners().Add(
    "extra_trees", LearnerInfo{.summary = "Average of deep trees with randomly drawn splits: quick, smooth, a good part of an ensemble.",
                               .paper = "Geurts, P., Ernst, D. and Wehenkel, L. (2006). Extremely randomized trees. Machine Learning 63.",
                               .parameters = Declare(),
                               .binary = true,
                               .multiclass = true,
                               .regression = true,
                               .weights = true,
                               .exceptions = {"ColumnOrderDoesNotMatter: the features of a split are drawn by their position"},
                               .cost_units = CostUnits,
                               .fit = Fit});

}  // namespace

}  // namespace everlearn
