// gradient_boosting: trees that are grown leaf by leaf, each on the gradient of the loss of those before it. The strongest single learner
// on most tables of mixed columns; needs little tuning. Trained by LightGBM on the shared codes, predicted by our own trees.
//
// Friedman, Greedy function approximation: a gradient boosting machine, 2001; Ke et al., LightGBM: a highly efficient gradient boosting
// decision tree, 2017; Rashmi & Gilad-Bachrach, DART: dropouts meet multiple additive regression trees, 2015.
#include <algorithm>
#include <cmath>

#include "learners/constant.h"
#include "learners/generated_features.h"
#include "learners/lightgbm_booster.h"
#include "learners/lightgbm_target.h"
#include "learners/lightgbm_trees.h"
#include "learners/target_encoding.h"

namespace everlearn {

namespace {

constexpr size_t kMostCrosses = 8;

// Defaults are LightGBM's own.
std::vector<Parameter> TreeParameters() {
  using enum ParameterType;
  constexpr auto kLog = ParameterScale::kLog;
  return {
      {.name = "trees",
       .type = kInteger,
       .value = 100,
       .low = 1,
       .high = 10'000,
       .scale = kLog,
       .doc = "Rounds; one tree a class each.",
       .search = SearchRange{2000, 2000}},
      {.name = "patience",
       .type = kInteger,
       .value = 50,
       .low = 1,
       .high = 1000,
       .scale = kLog,
       .doc = "Rounds without a lower loss on the validation rows that end a fit, at a learning rate of 0.1; at others in inverse ratio.",
       .search = SearchRange{50, 50}},
      {.name = "learning_rate",
       .value = 0.1,
       .low = 0.001,
       .high = 1,
       .scale = kLog,
       .doc = "Share of each tree's step that is taken.",
       .search = SearchRange{0.01, 0.3}},
      {.name = "leaves",
       .type = kInteger,
       .value = 31,
       .low = 2,
       .high = 4096,
       .scale = kLog,
       .doc = "Most leaves of a tree.",
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
       .value = 20,
       .low = 1,
       .high = 10'000,
       .scale = kLog,
       .doc = "Fewest training rows in a leaf; at most a tenth of all rows.",
       .search = SearchRange{1, 200}},
      {.name = "min_sum_hessian",
       .value = 1e-3,
       .low = 1e-6,
       .high = 100,
       .scale = kLog,
       .doc = "Least curvature of the loss in a leaf.",
       .search = SearchRange{1e-3, 10}},
      {.name = "min_gain", .value = 0, .low = 0, .high = 100, .doc = "Least gain of a split.", .search = SearchRange{0, 0}},
      {.name = "l1", .value = 0, .low = 0, .high = 1000, .doc = "L1 penalty on the values of leaves.", .search = SearchRange{0, 20}},
      {.name = "l2", .value = 0, .low = 0, .high = 1000, .doc = "L2 penalty on the values of leaves.", .search = SearchRange{0, 100}},
      {.name = "feature_fraction",
       .value = 1,
       .low = 0.01,
       .high = 1,
       .doc = "Share of the features that each tree may use.",
       .search = SearchRange{0.2, 1}},
      {.name = "bagging_fraction",
       .value = 1,
       .low = 0.01,
       .high = 1,
       .doc = "Share of the rows that a tree is grown on.",
       .search = SearchRange{0.4, 1}},
      {.name = "bagging_freq",
       .type = kInteger,
       .value = 1,
       .low = 1,
       .high = 100,
       .doc = "Trees between two draws of these rows.",
       .search = SearchRange{1, 1}},
      {.name = "extra_trees", .type = kBoolean, .value = 0, .doc = "Try one random threshold a feature instead of all."}};
}

std::vector<Parameter> CategoryParameters() {
  using enum ParameterType;
  return {
      {.name = "cat_smooth",
       .value = 10,
       .low = 0,
       .high = 1000,
       .doc = "Rows added to each category when categories are ordered.",
       .search = SearchRange{1, 100}},
      {.name = "cat_l2", .value = 10, .low = 0, .high = 1000, .doc = "L2 penalty in splits on categories.", .search = SearchRange{0, 100}},
      {.name = "min_data_per_group",
       .type = kInteger,
       .value = 100,
       .low = 1,
       .high = 10'000,
       .scale = ParameterScale::kLog,
       .doc = "Fewest rows of a group of categories; at most a tenth of all rows.",
       .search = SearchRange{5, 200}},
      {.name = "max_cat_to_onehot",
       .type = kInteger,
       .value = 4,
       .low = 1,
       .high = 256,
       .doc = "Up to so many categories, one is split from the others.",
       .search = SearchRange{1, 64}}};
}

std::vector<Parameter> MethodParameters() {
  using enum ParameterType;
  return {
      {.name = "boosting",
       .type = kChoice,
       .choices = {"gbdt", "dart", "goss"},
       .doc =
           "dart: a random tenth of the earlier trees is left out while a tree is grown (it has no best round: all are made); goss: trees "
           "are grown on the rows of the largest gradients and a draw of the others.",
       .search = SearchRange{0, 0}},
      {.name = "linear_leaves",
       .type = kBoolean,
       .value = 0,
       .doc = "Leaves are linear in the numbers on the way to them, which are cut to their range in training; constant where features are "
              "monotone and with the losses absolute and quantile.",
       .search = SearchRange{0, 0}},
      {.name = "linear_lambda",
       .value = 1,
       .low = 0,
       .high = 1000,
       .doc = "Ridge penalty on the coefficients of linear leaves; a number's range has the width 2.",
       .search = SearchRange{1, 1}},
      {.name = "target_encoding",
       .type = kChoice,
       .choices = {"none", "many_values", "crosses"},
       .doc = "Adds means of the target, out of fold, of features with many values; and of pairs of them that say more than each alone."},
      {.name = "generated",
       .type = kInteger,
       .value = 0,
       .low = 0,
       .high = 64,
       .doc = "Adds at most so many sums, differences, products and ratios of numbers and distances from the means of categories.",
       .search = SearchRange{0, 0}},
      {.name = "loss",
       .type = kChoice,
       .choices = RegressionLosses(),
       .doc = "Of a regression; log_squared, gamma, poisson and tweedie are for skewed targets above zero (the last two: or zero).",
       .search = SearchRange{0, 0}},
      {.name = "quantile",
       .value = 0.5,
       .low = 0.001,
       .high = 0.999,
       .doc = "The level that the loss quantile estimates.",
       .search = SearchRange{0.5, 0.5}},
      {.name = "huber_delta",
       .value = 1,
       .low = 0.001,
       .high = 100,
       .scale = ParameterScale::kLog,
       .doc = "Larger errors count linearly in the loss huber; in standard deviations of the target.",
       .search = SearchRange{1, 1}},
      {.name = "tweedie_power",
       .value = 1.5,
       .low = 1.01,
       .high = 1.99,
       .doc = "In the loss tweedie the variance is this power of the mean.",
       .search = SearchRange{1.5, 1.5}}};
}

std::vector<Parameter> Declare() {
  std::vector<Parameter> all = TreeParameters();
  for (const std::vector<Parameter>& more : {CategoryParameters(), MethodParameters()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Ours by LightGBM's names; an objective is added by the caller.
LightGbmParameters Translate(const ParameterValues& values, size_t rows, uint64_t seed) {
  const auto number = [&](const char* name) { return NumberText(values.Number(name)); };
  const std::string& boosting = values.Choice("boosting");
  return {{"boosting", boosting == "dart" ? "dart" : "gbdt"},
          {"data_sample_strategy", boosting == "goss" ? "goss" : "bagging"},
          {"seed", LightGbmSeed(seed)},
          {"learning_rate", number("learning_rate")},
          {"num_leaves", number("leaves")},
          {"max_depth", values.Integer("max_depth") == 0 ? "-1" : number("max_depth")},
          {"min_data_in_leaf", std::to_string(ClampedLeafRows(values.Integer("min_data_in_leaf"), rows))},
          {"min_sum_hessian_in_leaf", number("min_sum_hessian")},
          {"min_gain_to_split", number("min_gain")},
          {"lambda_l1", number("l1")},
          {"lambda_l2", number("l2")},
          {"feature_fraction", number("feature_fraction")},
          {"bagging_fraction", boosting == "goss" ? "1" : number("bagging_fraction")},
          {"bagging_freq", number("bagging_freq")},
          {"extra_trees", values.Boolean("extra_trees") ? "true" : "false"},
          {"cat_smooth", number("cat_smooth")},
          {"cat_l2", number("cat_l2")},
          {"min_data_per_group", std::to_string(ClampedLeafRows(values.Integer("min_data_per_group"), rows))},
          {"max_cat_to_onehot", number("max_cat_to_onehot")}};
}

// A smaller learning rate needs as many more rounds to show whether it gets on.
int64_t Patience(const ParameterValues& values) {
  constexpr double kFewest = 5, kUsualRate = 0.1;
  return std::llround(std::max(kFewest, static_cast<double>(values.Integer("patience")) * kUsualRate / values.Number("learning_rate")));
}

RegressionLoss LossOf(const ParameterValues& values) {
  return {values.Choice("loss"), values.Number("quantile"), values.Number("huber_delta"), values.Number("tweedie_power")};
}

// `linear`: leaves are to be linear over its ranges, and are filled in.
TreesParameters Train(const TrainingRows& training, const LightGbmTarget& target, const LightGbmParameters& parameters,
                      const ParameterValues& values, const FitOptions& options, LinearLeaves* linear) {
  const ColumnRanges* ranges = linear == nullptr ? nullptr : &linear->ranges;
  TreesParameters made;
  made.features = training.data->features();
  made.outputs = training.data->outputs();
  const auto take = [&](const std::string& text) { AppendLightGbm(text, &training.data->binned(), &made, nullptr, linear); };
  const LightGbmData rows(training, target.Labels(training), nullptr, ranges);
  const int64_t trees = RoundsToMake(options, values.Integer("trees"));
  if (options.validation.empty() || values.Choice("boosting") == "dart") {
    rows.Train(parameters, trees, options.stop, take, {.rounds_made = options.rounds_made});
    return made;
  }
  const TrainingRows validation{training.data, options.validation};
  const LightGbmData measured(validation, target.Labels(validation), &rows, ranges);
  rows.Train(parameters, trees, options.stop, take, {&measured, Patience(values), options.rounds_made});
  return made;
}

std::shared_ptr<const Model> FitTrees(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const Dataset& data = *training.data;
  const LightGbmTarget target(training, LossOf(values));
  if (data.features() == 0 || target.is_constant()) return FitConstant(training);
  LightGbmParameters parameters = Translate(values, training.rows.size(), options.seed);
  target.AddObjective(&parameters);
  AddMonotone(data, options.monotone, &parameters);
  const bool moves_leaves = data.classes() == 0 && target.moves_leaves(), is_monotone = parameters.count("monotone_constraints") > 0;
  if (is_monotone && moves_leaves) {
    throw Error(ErrorKind::kUsage, "no feature can be monotone under the loss " + values.Choice("loss"), "take huber instead");
  }
  const TrainingRows measured = options.validation.empty() ? training : TrainingRows{&data, options.validation};
  if (!values.Boolean("linear_leaves") || is_monotone || moves_leaves) {
    TreesParameters trees = Train(training, target, parameters, values, options, nullptr);
    target.Restore(measured, &trees);
    return MakeTrees(std::move(trees));
  }
  parameters["linear_lambda"] = NumberText(values.Number("linear_lambda"));
  LinearLeaves linear;
  linear.ranges = TrainingRanges(training);
  TreesParameters trees = Train(training, target, parameters, values, options, &linear);
  target.Restore(measured, &trees, &linear);
  return MakeLinearTrees(std::move(trees), std::move(linear));
}

// The fit of rows to which features were added.
template <typename Added, typename Inner>
std::shared_ptr<const Model> FitBehind(const Added& added, const FitOptions& options, const Inner& fit) {
  FitOptions inner = options;
  inner.validation = added.validation();
  std::vector<int8_t> monotone(options.monotone.begin(), options.monotone.end());
  if (!monotone.empty()) monotone.resize(added.training().data->features(), 0);
  inner.monotone = monotone;
  return added.Wrap(fit(added.training(), inner));
}

std::shared_ptr<const Model> FitEncoded(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const std::string& wanted = values.Choice("target_encoding");
  if (wanted == "none") return FitTrees(training, values, options);
  TargetEncodingOptions encoding;
  encoding.crosses = wanted == "crosses" ? kMostCrosses : 0;
  encoding.seed = options.seed;
  const TargetEncoding encoded(training, options.validation, encoding);
  if (encoded.empty()) return FitTrees(training, values, options);
  return FitBehind(encoded, options, [&](const TrainingRows& rows, const FitOptions& inner) { return FitTrees(rows, values, inner); });
}

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const auto most = static_cast<size_t>(values.Integer("generated"));
  if (most == 0) return FitEncoded(training, values, options);
  const GeneratedFeatures generated(training, options.validation, {most, options.seed, options.monotone});
  if (generated.empty()) return FitEncoded(training, values, options);
  return FitBehind(generated, options, [&](const TrainingRows& rows, const FitOptions& inner) { return FitEncoded(rows, values, inner); });
}

// Dart drops a tenth of the earlier trees, at most 50, in every second round, and passes the rows through each of them three times.
double DroppedTreesUnits(double rows, double trees, double leaves) {
  constexpr double kRowLevel = 2e-7;  // 2 ns
  return trees * 0.5 * std::min(50.0, 0.05 * trees) * 3 * kRowLevel * rows * std::log2(leaves);
}

double CostUnits(double rows, double features, double outputs, const ParameterValues& values) {
  constexpr double kEncodedCell = 4e-5;  // 400 ns to number a value and take its statistics
  constexpr double kLinearLeaves = 1.7;  // 1.3 to 1.9 times the seconds on eight public sets
  const std::string& encoding = values.Choice("target_encoding");
  const double generated = values.Number("generated");
  if (generated > 0) features += generated;
  const double added = encoding == "none" ? 0 : encoding == "crosses" ? features + kMostCrosses : features;
  const double looked_at = encoding == "crosses" ? added + features * (features - 1) / 2 : added;
  const double trees = values.Number("trees") * (outputs > 2 ? outputs : 1);
  double units = kEncodedCell * rows * std::min(looked_at, 80.0) +
                 LightGbmCostUnits(rows, features + added, trees, values.Number("leaves"), values.Number("min_data_in_leaf"));
  if (generated > 0) units += GeneratedFeaturesUnits(rows, features - generated);
  if (values.Boolean("linear_leaves")) units *= kLinearLeaves;
  if (values.Choice("boosting") == "dart") units += DroppedTreesUnits(rows, trees, values.Number("leaves"));
  return units;
}

const bool registered = Learners().Add(
    "gradient_boosting",
    LearnerInfo{.summary = "Boosted trees grown leaf by leaf (LightGBM): the strongest single learner on most tables of mixed columns.",
                .paper = "Ke, G. et al. (2017). LightGBM: A highly efficient gradient boosting decision tree. NeurIPS 30.",
                .parameters = Declare(),
                .binary = true,
                .multiclass = true,
                .regression = true,
                .weights = true,
                .monotone = true,
                .quick = true,
                .exceptions = {"ColumnOrderDoesNotMatter: of splits with equal gain LightGBM takes the first column"},
                .cost_units = CostUnits,
                .fit = Fit});

}  // namespace

}  // namespace everlearn
