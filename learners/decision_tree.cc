// decision_tree: one tree, small enough to read. Good where a rule must be explained, and as a plain reference; forests and boosting
// predict better.
//
// Breiman, Friedman, Olshen & Stone, Classification and regression trees, 1984: best splits by Gini impurity or squared error. Grown best
// first, so that the number of leaves is what is limited; class shares are m-estimates (Cestnik 1990).
#include <algorithm>

#include "learners/constant.h"
#include "learners/tree_growth.h"

namespace everlearn {

namespace {

std::vector<Parameter> Declare() {
  using enum ParameterType;
  constexpr auto kLog = ParameterScale::kLog;
  return {{.name = "leaves",
           .type = kInteger,
           .value = 24,
           .low = 2,
           .high = 4096,
           .scale = kLog,
           .doc = "Most leaves.",
           .search = SearchRange{4, 512}},
          {.name = "max_depth",
           .type = kInteger,
           .value = 0,
           .low = 0,
           .high = 64,
           .doc = "Most splits on the way to a leaf; 0: no limit.",
           .search = SearchRange{0, 0}},
          {.name = "min_data_in_leaf",
           .type = kInteger,
           .value = 10,
           .low = 1,
           .high = 10'000,
           .scale = kLog,
           .doc = "Fewest training rows in a leaf; at most a tenth of all rows.",
           .search = SearchRange{1, 200}},
          {.name = "prior_rows",
           .value = 1,
           .low = 0.01,
           .high = 100,
           .scale = kLog,
           .doc = "Rows of average class shares that are added to each leaf.",
           .search = SearchRange{0.1, 10}}};
}

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions&) {
  const Dataset& data = *training.data;
  const auto has_weight = [&](uint32_t row) { return data.weight(row) > 0; };
  if (data.features() == 0 || std::none_of(training.rows.begin(), training.rows.end(), has_weight)) return FitConstant(training);
  GrowthOptions growth;
  growth.leaves = values.Integer("leaves");
  growth.max_depth = values.Integer("max_depth");
  growth.min_rows = std::clamp<int64_t>(static_cast<int64_t>(training.rows.size() / 10), 1, values.Integer("min_data_in_leaf"));
  growth.prior_rows = values.Number("prior_rows");
  const TreeGrower grower(training, growth);
  Random unused(0);
  return MakeTrees(grower.Grow(grower.rows(), &unused));
}

double CostUnits(double rows, double features, double outputs, const ParameterValues& values) {
  return ForestGrowthCostUnits(rows, features, outputs, 1, values.Number("leaves"));
}

const bool registered = Learners().Add(
    "decision_tree",
    LearnerInfo{.summary = "One decision tree, small enough to read.",
                .paper = "Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and regression trees. Wadsworth.",
                .parameters = Declare(),
                .binary = true,
                .multiclass = true,
                .regression = true,
                .weights = true,
                .exceptions = {"ColumnOrderDoesNotMatter: of splits with equal gain it takes the first column"},
                .cost_units = CostUnits,
                .fit = Fit});

}  // namespace

}  // namespace everlearn
