// random_forest: the average of deep trees, each grown on a draw of the rows and, at each split, a draw of the features. Robust at its
// defaults, hard to overfit. Trained by LightGBM on the shared codes.
//
// Breiman, Random forests, 2001. For classes, one tree a class and round (one for two classes) splits by Gini impurity of that class
// against the others: LightGBM's forest takes the gradients once, at the constant prediction, where the second derivative h of the loss is
// the same for all rows, so that the value of a leaf is an affine function of the class's share in it. Shares are m-estimates (Cestnik
// 1990).
#include <algorithm>
#include <cmath>

#include "learners/constant.h"
#include "learners/lightgbm_booster.h"
#include "learners/lightgbm_trees.h"

namespace everlearn {

namespace {

std::vector<Parameter> Declare() {
  using enum ParameterType;
  constexpr auto kLog = ParameterScale::kLog;
  return {{.name = "trees",
           .type = kInteger,
           .value = 100,
           .low = 1,
           .high = 10'000,
           .scale = kLog,
           .doc = "Rounds; one tree a class each.",
           .search = SearchRange{100, 300}},
          {.name = "leaves",
           .type = kInteger,
           .value = 1024,
           .low = 2,
           .high = 65'536,
           .scale = kLog,
           .doc = "Most leaves of a tree.",
           .search = SearchRange{256, 8192}},
          {.name = "min_data_in_leaf",
           .type = kInteger,
           .value = 3,
           .low = 1,
           .high = 10'000,
           .scale = kLog,
           .doc = "Fewest training rows in a leaf; at most a tenth of all rows.",
           .search = SearchRange{1, 50}},
          {.name = "feature_fraction",
           .value = 0.5,
           .low = 0.01,
           .high = 1,
           .doc = "Share of the features that a split may choose from.",
           .search = SearchRange{0.1, 1}},
          {.name = "bagging_fraction", .value = 0.632, .low = 0.01, .high = 0.99, .doc = "Share of the rows that a tree is grown on."},
          {.name = "prior_rows",
           .value = 1,
           .low = 0.01,
           .high = 100,
           .scale = kLog,
           .doc = "Rows of average class shares that are added to each leaf.",
           .search = SearchRange{0.1, 10}}};
}

// LightGBM estimates the rows of a leaf from its second derivatives, so that under uneven weights an empty side can seem to have rows. This
// is far below the share of one row (their mean weight is 1) and far above what subtracting histograms leaves by rounding.
constexpr double kLeastHessian = 1e-6;

int64_t MostLeaves(const ParameterValues& values, size_t rows) {
  return std::clamp<int64_t>(static_cast<int64_t>(rows), 2, values.Integer("leaves"));
}

LightGbmParameters Translate(const ParameterValues& values, size_t rows, uint64_t seed) {
  const auto number = [&](const char* name) { return NumberText(values.Number(name)); };
  return {{"boosting", "rf"},
          {"seed", LightGbmSeed(seed)},
          {"num_leaves", std::to_string(MostLeaves(values, rows))},
          {"min_data_in_leaf", std::to_string(ClampedLeafRows(values.Integer("min_data_in_leaf"), rows))},
          {"min_sum_hessian_in_leaf", NumberText(kLeastHessian)},
          {"feature_fraction_bynode", number("feature_fraction")},
          {"bagging_fraction", number("bagging_fraction")},
          {"bagging_freq", "1"}};
}

// What the values of leaves are made of for one class: init + (share in leaf - share) / h.
struct ClassScale {
  double prior = 0;  // share with half a row added to each class
  double share = 0;
  double init = 0;
  double h = 0;
};

std::vector<ClassScale> ClassScales(const TrainingRows& training) {
  const Dataset& data = *training.data;
  const auto classes = static_cast<double>(data.classes());
  std::vector<ClassScale> scales(data.classes());
  double sum = 0;
  for (const uint32_t row : training.rows) {
    scales[static_cast<size_t>(data.target()[row])].share += data.weight(row);
    sum += data.weight(row);
  }
  for (ClassScale& scale : scales) {
    scale.prior = (scale.share + 0.5) / (sum + 0.5 * classes);
    scale.share /= sum;
    const double variance = scale.share * (1 - scale.share);
    scale.init = classes == 2 ? std::log(scale.share / (1 - scale.share)) : std::log(scale.share);
    scale.h = classes == 2 ? variance : variance * classes / (classes - 1);
  }
  return scales;
}

// Turns the values of leaves into logarithms of class shares, or of the odds of class 1 where there are two. `equal_rows` above 0 stands
// for the rows of every leaf: a prior that pulls at one leaf more than at another could turn the order of monotone leaves around.
void ToLogShares(const std::vector<ClassScale>& scales, const std::vector<int64_t>& leaf_rows, double prior_rows, double equal_rows,
                 TreesParameters* trees) {
  const bool two = scales.size() == 2;
  size_t leaf = 0;
  for (size_t tree = 0; tree < trees->leaves.size(); ++tree) {
    const ClassScale& scale = scales[two ? 1 : tree % scales.size()];
    const bool is_split = trees->leaves[tree] > 1;
    for (const size_t end = leaf + trees->leaves[tree]; leaf < end; ++leaf) {
      double& value = trees->leaf_values[leaf];
      // An unsplit tree holds no share of its own: LightGBM gives it 0, its draw's value or that of an absent class.
      const double rows = is_split ? equal_rows > 0 ? equal_rows : static_cast<double>(leaf_rows[leaf]) : 0;
      const double share = is_split ? std::clamp(scale.share + (value - scale.init) * scale.h, 0.0, 1.0) : 0;
      const double smoothed = (rows * share + prior_rows * scale.prior) / (rows + prior_rows);
      value = two ? std::log(smoothed / (1 - smoothed)) : std::log(smoothed);
    }
  }
}

// In several boosters, one after another: LightGBM takes the memory of the most leaves for every tree that it holds. `round_leaves`: the
// most of all trees of a round.
void GrowForest(const LightGbmData& rows, LightGbmParameters parameters, int64_t rounds, int64_t round_leaves, const FitOptions& options,
                const LightGbmTexts& take) {
  constexpr int64_t kMostBytes = int64_t{48} << 20, kBytesALeaf = 80;
  const int64_t step = std::max<int64_t>(1, kMostBytes / (kBytesALeaf * round_leaves));
  for (int64_t first = 0; first < rounds; first += step) {
    if (first > 0 && options.stop && options.stop()) return;
    if (first > 0) parameters["seed"] = LightGbmSeed(options.seed + static_cast<uint64_t>(first));
    rows.Train(parameters, std::min(step, rounds - first), options.stop, take);
  }
}

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const Dataset& data = *training.data;
  const StandardTarget standard = StandardiseTarget(training);
  if (data.features() == 0 || standard.scale == 0) return FitConstant(training);
  LightGbmParameters parameters = Translate(values, training.rows.size(), options.seed);
  const bool regression = data.classes() == 0;
  parameters["objective"] = regression ? "regression" : data.classes() == 2 ? "binary" : "multiclass";
  if (data.classes() > 2) parameters["num_class"] = std::to_string(data.classes());
  AddMonotone(data, options.monotone, &parameters);
  std::vector<int64_t> leaf_rows;
  TreesParameters trees;
  trees.features = data.features();
  trees.outputs = data.outputs();
  const int64_t trees_a_round = data.classes() > 2 ? static_cast<int64_t>(data.classes()) : 1;
  const int64_t round_leaves = trees_a_round * MostLeaves(values, training.rows.size());
  GrowForest({training, LightGbmLabels(training, standard)}, parameters, values.Integer("trees"), round_leaves, options,
             [&](const std::string& text) { AppendLightGbm(text, &data.binned(), &trees, &leaf_rows); });
  if (regression) {
    for (double& value : trees.leaf_values) value = standard.mean + value * standard.scale;
  } else {
    const double leaves = static_cast<double>(trees.leaf_values.size()), grown = static_cast<double>(trees.leaves.size());
    const double mean_leaf_rows = static_cast<double>(training.rows.size()) * values.Number("bagging_fraction") * grown / leaves;
    const double equal_rows = parameters.count("monotone_constraints") > 0 ? mean_leaf_rows : 0;
    ToLogShares(ClassScales(training), leaf_rows, values.Number("prior_rows"), equal_rows, &trees);
  }
  return MakeTrees(std::move(trees));
}

double CostUnits(double rows, double features, double outputs, const ParameterValues& values) {
  return LightGbmCostUnits(rows, features, values.Number("trees") * (outputs > 2 ? outputs : 1), values.Number("leaves"),
                           values.Number("min_data_in_leaf"));
}

const bool registered = Learners().Add(
    "random_forest", LearnerInfo{.summary = "Average of deep trees on draws of rows and features: robust at its defaults, hard to overfit.",
                                 .paper = "Breiman, L. (2001). Random forests. Machine Learning 45.",
                                 .parameters = Declare(),
                                 .binary = true,
                                 .multiclass = true,
                                 .regression = true,
                                 .weights = true,
                                 .monotone = true,
                                 .quick = true,
                                 .exceptions = {"ColumnOrderDoesNotMatter: the features of a split are drawn by their position"},
                                 .cost_units = CostUnits,
                                 .fit = Fit});

}  // namespace

}  // namespace everlearn
