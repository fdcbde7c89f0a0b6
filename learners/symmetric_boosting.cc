// symmetric_boosting: boosted symmetric trees with ordered target statistics of categories. Strong at its defaults, above all on tables
// rich in categories; trees of one test a level are fast to grow, to predict with, and hard to overfit.
//
// Prokhorenkova et al., CatBoost: unbiased boosting with categorical features, 2018. Rows are drawn by minimal variance sampling (Ibragimov
// & Gusev 2019). Of each round, splits, leaf values and scores see the statistics of one of several random orders in turn, so that
// a row's score averages over them. Losses: log-loss (logistic, softmax) and squared error of the standardised target.
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/symmetric_tree.h"
#include "learners/constant.h"
#include "learners/lightgbm_booster.h"
#include "learners/symmetric_columns.h"
#include "model/symmetric_trees.h"

namespace everlearn {

namespace {

constexpr size_t kMostStatisticClasses = 8;  // the most frequent classes have statistics
constexpr double kPriorRows = 0.5;           // added to each class at the start

std::vector<Parameter> Declare() {
  using enum ParameterType;
  constexpr auto kLog = ParameterScale::kLog;
  return {
      {.name = "rounds", .type = kInteger, .value = 500, .low = 1, .high = 10'000, .scale = kLog, .doc = "Trees."},
      {.name = "learning_rate", .value = 0, .low = 0, .high = 1, .doc = "Share of each tree's step that is taken; 0: by rows and rounds."},
      {.name = "depth", .type = kInteger, .value = 6, .low = 1, .high = kMostSymmetricDepth, .doc = "Tests of a tree."},
      {.name = "l2", .value = 3, .low = 0.01, .high = 1000, .scale = kLog, .doc = "L2 penalty on the values of leaves."},
      {.name = "random_strength", .value = 1, .low = 0, .high = 10, .doc = "Noise in the choice of splits, which fades with the rounds."},
      {.name = "subsample", .value = 0.8, .low = 0.05, .high = 1, .doc = "Share of the rows that a tree's tests are chosen on."},
      {.name = "feature_fraction", .value = 1, .low = 0.01, .high = 1, .doc = "Share of the columns that each tree may use."},
      {.name = "one_hot_max_size",
       .type = kInteger,
       .value = 2,
       .low = 0,
       .high = 250,
       .doc = "Up to so many categories, one is split from the others."},
      {.name = "permutations",
       .type = kInteger,
       .value = 4,
       .low = 1,
       .high = 16,
       .doc = "Random orders for the statistics of categories."},
      {.name = "statistic_bins", .type = kInteger, .value = 16, .low = 2, .high = 255, .scale = kLog, .doc = "Bins of each statistic."},
      {.name = "smoothing", .value = 1, .low = 0.01, .high = 100, .scale = kLog, .doc = "Rows of the average added to each category."},
      {.name = "combinations",
       .type = kInteger,
       .value = 10,
       .low = 0,
       .high = 200,
       .doc = "Combinations of two categories with statistics; half as many of three."},
      {.name = "integers_as_categories",
       .type = kBoolean,
       .value = 1,
       .doc = "Statistics of integers that repeat, where they say more than order."},
      {.name = "patience",
       .type = kInteger,
       .value = 50,
       .low = 1,
       .high = 1000,
       .scale = kLog,
       .doc = "Rounds without a smaller loss on validation rows before it ends."},
  };
}

// The rate that CatBoost 1.2 would choose (its options_helper.cpp): exp(a + b log rows), more for fewer rounds.
double DefaultRate(size_t classes, double rows, double rounds) {
  struct Rule {
    double a, b, c;
  };
  const Rule rule = classes == 0 ? Rule{-4.062, 0.157, -0.61} : classes == 2 ? Rule{-5.127, 0.246, -0.451} : Rule{-2.404, 0.02, -0.5};
  return std::min(0.5, std::exp(rule.a + rule.b * std::log(rows) + rule.c * std::log(rounds / 1000)));
}

using Scores = std::vector<Eigen::ArrayXf>;  // one array a score

class SymmetricFit {
 public:
  SymmetricFit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options, const StandardTarget& standard)
      : data_(*training.data),
        values_(values),
        options_(options),
        standard_(standard),
        rows_(training.rows.size()),
        classes_(data_.classes()),
        outputs_(classes_ > 2 ? classes_ : 1),
        tree_outputs_(std::min(outputs_, SymmetricTreeGrower::kMostOutputs)),
        width_(SymmetricTreeGrower::Width(tree_outputs_)),
        target_(ReadTarget(training.rows)),
        validation_target_(ReadTarget(options.validation)),
        weights_(ReadWeights(training.rows)),
        validation_weights_(ReadWeights(options.validation)),
        bias_(StartingScores()),
        columns_(training, options, StatisticTargets(), {weights_.data(), weights_.data() + rows_}, ColumnsOptions()),
        grower_(tree_outputs_),
        random_(options.seed) {
    const double rate = values.Number("learning_rate");
    rate_ = rate > 0 ? rate : DefaultRate(classes_, static_cast<double>(rows_), values.Number("rounds"));
  }

  std::shared_ptr<const Model> Run();

 private:
  SymmetricColumnsOptions ColumnsOptions() const;
  Eigen::ArrayXf ReadTarget(std::span<const uint32_t> rows) const;
  Eigen::ArrayXf ReadWeights(std::span<const uint32_t> rows) const;
  std::vector<double> StartingScores() const;
  std::vector<std::vector<float>> StatisticTargets() const;
  void SetGradients();
  void FillStatistics(std::span<const uint32_t> rows, std::span<const float> factors);
  void Sample();
  void MaybeAddCombinations(int64_t round);
  std::span<const SymmetricSplit> GrowTree(int64_t round);
  void SetLeafValues();
  void MakeMonotone(std::span<const SymmetricSplit> splits);
  void AddTree(const std::vector<uint8_t>& leaves, Scores* scores) const;
  double ValidationLoss() const;

  const Dataset& data_;
  const ParameterValues& values_;
  const FitOptions& options_;
  StandardTarget standard_;
  size_t rows_, classes_, outputs_, tree_outputs_, width_;
  Eigen::ArrayXf target_, validation_target_, weights_, validation_weights_;
  std::vector<double> bias_;
  SymmetricColumns columns_;
  SymmetricTreeGrower grower_;
  Random random_;
  double rate_ = 0;
  Scores scores_, validation_scores_, gradients_, curvatures_;
  std::vector<uint32_t> all_rows_, sampled_;
  std::vector<float> factors_, norms_, statistics_, projection_;
  std::vector<uint8_t> leaves_, validation_leaves_;
  std::vector<double> leaf_sums_, leaf_values_;  // of the tree of this round: leaves × outputs
  std::vector<CodeColumn> tree_columns_;
  std::vector<uint32_t> tree_column_numbers_;
  std::vector<SymmetricSplit> splits_, tree_splits_;
};

SymmetricColumnsOptions SymmetricFit::ColumnsOptions() const {
  SymmetricColumnsOptions options;
  options.one_hot_max_size = static_cast<size_t>(values_.Integer("one_hot_max_size"));
  options.permutations = static_cast<size_t>(values_.Integer("permutations"));
  options.statistic_bins = static_cast<size_t>(values_.Integer("statistic_bins"));
  options.integers = values_.Boolean("integers_as_categories");
  options.smoothing = values_.Number("smoothing");
  options.seed = MixBits(options_.seed + 1);
  return options;
}

// Class indices, or standardised values.
Eigen::ArrayXf SymmetricFit::ReadTarget(std::span<const uint32_t> rows) const {
  Eigen::ArrayXf target(static_cast<Eigen::Index>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    const double value = data_.target()[rows[i]];
    target[static_cast<Eigen::Index>(i)] = static_cast<float>(classes_ == 0 ? (value - standard_.mean) / standard_.scale : value);
  }
  return target;
}

// Of mean 1.
Eigen::ArrayXf SymmetricFit::ReadWeights(std::span<const uint32_t> rows) const {
  Eigen::ArrayXf weights(static_cast<Eigen::Index>(rows.size()));
  double sum = 0;
  for (const uint32_t row : rows) sum += data_.weight(row);
  const double factor = sum > 0 ? static_cast<double>(rows.size()) / sum : 1;
  for (size_t i = 0; i < rows.size(); ++i) weights[static_cast<Eigen::Index>(i)] = static_cast<float>(data_.weight(rows[i]) * factor);
  return weights;
}

// Log-odds, or logarithms of the shares of the classes; 0 for a standardised target.
std::vector<double> SymmetricFit::StartingScores() const {
  if (classes_ == 0) return {0.0};
  std::vector<double> shares(std::max<size_t>(classes_, 2), kPriorRows);
  for (Eigen::Index i = 0; i < target_.size(); ++i) shares[static_cast<size_t>(target_[i])] += static_cast<double>(weights_[i]);
  if (outputs_ == 1) return {std::log(shares[1] / shares[0])};
  for (double& share : shares) share = std::log(share / static_cast<double>(rows_));
  return shares;
}

// What the statistics of categories are means of: the value, the second class, or each of the more frequent classes.
std::vector<std::vector<float>> SymmetricFit::StatisticTargets() const {
  if (outputs_ == 1) return {{target_.data(), target_.data() + rows_}};
  std::vector<size_t> order(classes_);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return bias_[a] > bias_[b]; });
  std::vector<std::vector<float>> targets;
  for (size_t k = 0; k < std::min(classes_, kMostStatisticClasses); ++k) {
    targets.emplace_back(rows_);
    for (size_t i = 0; i < rows_; ++i)
      targets.back()[i] = target_[static_cast<Eigen::Index>(i)] == static_cast<float>(order[k]) ? 1.0f : 0.0f;
  }
  return targets;
}

// Of the loss, downwards, with the second derivatives; not weighted.
void SymmetricFit::SetGradients() {
  if (classes_ == 0) {
    gradients_[0] = target_ - scores_[0];
    curvatures_[0].setOnes(static_cast<Eigen::Index>(rows_));
    return;
  }
  if (outputs_ == 1) {
    curvatures_[0] = 1.0f / (1.0f + (-scores_[0]).exp());
    gradients_[0] = target_ - curvatures_[0];
    curvatures_[0] *= 1.0f - curvatures_[0];
    return;
  }
  Eigen::ArrayXf& sum = curvatures_.back();  // until it is set
  Eigen::ArrayXf largest = scores_[0];
  for (size_t k = 1; k < outputs_; ++k) largest = largest.max(scores_[k]);
  for (size_t k = 0; k < outputs_; ++k) gradients_[k] = (scores_[k] - largest).exp();
  sum = gradients_[0];
  for (size_t k = 1; k < outputs_; ++k) sum += gradients_[k];
  largest = 1.0f / sum;
  for (size_t k = 0; k < outputs_; ++k) {
    gradients_[k] *= largest;
    curvatures_[k] = gradients_[k] * (1.0f - gradients_[k]);
    gradients_[k] = (target_ == static_cast<float>(k)).cast<float>() - gradients_[k];
  }
}

// What the grower sums up: weights (times the factors) and weighted gradients, of more outputs than it takes a random projection
// (Iosipoi & Vakhrushev, SketchBoost, 2022).
void SymmetricFit::FillStatistics(std::span<const uint32_t> rows, std::span<const float> factors) {
  statistics_.assign(rows.size() * width_, 0.0f);
  for (size_t i = 0; i < rows.size(); ++i) statistics_[i * width_] = factors[i] * weights_[rows[i]];
  if (outputs_ == tree_outputs_) {
    for (size_t k = 0; k < outputs_; ++k)
      for (size_t i = 0; i < rows.size(); ++i) statistics_[i * width_ + 1 + k] = statistics_[i * width_] * gradients_[k][rows[i]];
    return;
  }
  projection_.resize(outputs_ * tree_outputs_);
  const double deviation = 1 / std::sqrt(static_cast<double>(tree_outputs_));
  for (float& p : projection_) p = static_cast<float>(random_.Normal() * deviation);
  for (size_t k = 0; k < outputs_; ++k) {
    const float* projection = projection_.data() + k * tree_outputs_;
    for (size_t i = 0; i < rows.size(); ++i) {
      float* row = statistics_.data() + i * width_;
      const float gradient = row[0] * gradients_[k][rows[i]];
      for (size_t t = 0; t < tree_outputs_; ++t) row[1 + t] += gradient * projection[t];
    }
  }
}

// Minimal variance sampling: a row is drawn with a chance in proportion to the size of its gradient, at most 1, and weighs the more the
// smaller its chance.
void SymmetricFit::Sample() {
  const double wanted = values_.Number("subsample") * static_cast<double>(rows_);
  sampled_.clear();
  factors_.clear();
  if (values_.Number("subsample") >= 1) {
    sampled_ = all_rows_;
    factors_.assign(rows_, 1.0f);
    return;
  }
  Eigen::Map<Eigen::ArrayXf> norms(norms_.data(), static_cast<Eigen::Index>(rows_));
  norms = gradients_[0].square();
  for (size_t k = 1; k < outputs_; ++k) norms += gradients_[k].square();
  const double mean = norms.sqrt().cast<double>().mean();
  norms = (norms + static_cast<float>(mean * mean)).sqrt() * weights_;
  // The chance is norm / limit: the limit that gives the wanted number of rows, by fixed-point steps from below.
  double limit = norms.cast<double>().sum() / wanted;
  for (int step = 0; step < 10; ++step) {
    double sum = 0, certain = 0;
    for (size_t i = 0; i < rows_; ++i) {
      const auto norm = static_cast<double>(norms_[i]);
      norm >= limit ? certain += 1 : sum += norm;
    }
    const double next = certain < wanted ? sum / (wanted - certain) : limit;
    if (!(std::abs(next - limit) > 1e-3 * limit)) break;
    limit = next;
  }
  for (size_t i = 0; i < rows_; ++i) {
    const double chance = static_cast<double>(norms_[i]) / limit;
    if (random_.Uniform() >= chance) continue;
    sampled_.push_back(static_cast<uint32_t>(i));
    factors_.push_back(static_cast<float>(1 / std::min(1.0, chance)));
  }
}

// Pairs when the single categories have had their say, then larger ones on what was found.
void SymmetricFit::MaybeAddCombinations(int64_t round) {
  const auto wanted = static_cast<size_t>(values_.Integer("combinations"));
  const size_t components = outputs_ == 1 ? 1 : std::min(classes_, kMostStatisticClasses);
  const size_t most = (wanted + components - 1) / components;  // each has a statistic a class
  const int64_t every = std::max<int64_t>(1, values_.Integer("rounds") / 20);
  if (most == 0 || round == 0 || round % every != 0 || round / every > 2) return;
  const auto size = static_cast<size_t>(round / every + 1);
  factors_.assign(rows_, 1.0f);
  FillStatistics(all_rows_, factors_);
  columns_.AddCombinations(size, size == 2 ? most : (most + 1) / 2, statistics_, tree_outputs_);
}

std::span<const SymmetricSplit> SymmetricFit::GrowTree(int64_t round) {
  const size_t permutation = static_cast<size_t>(round) % columns_.permutations();
  const auto columns = columns_.training(permutation);
  Sample();
  FillStatistics(sampled_, factors_);
  const double fraction = values_.Number("feature_fraction");
  tree_columns_.clear();
  tree_column_numbers_.clear();
  for (uint32_t j = 0; j < columns.size(); ++j) {
    if (fraction < 1 && random_.Uniform() >= fraction) continue;
    tree_columns_.push_back(columns[j]);
    tree_column_numbers_.push_back(j);
  }
  SymmetricTreeOptions options;
  options.depth = static_cast<int>(values_.Integer("depth"));
  options.l2 = values_.Number("l2");
  double squares = 0;
  for (const Eigen::ArrayXf& gradient : gradients_) squares += static_cast<double>(gradient.square().sum());
  const double left = std::exp(std::log(static_cast<double>(rows_)) - static_cast<double>(round) * rate_);
  options.noise = values_.Number("random_strength") * std::sqrt(squares / static_cast<double>(rows_)) * left / (1 + left);
  tree_splits_.clear();
  for (const SymmetricSplit& split : grower_.Grow(tree_columns_, sampled_, statistics_, options, &random_))
    tree_splits_.push_back({tree_column_numbers_[split.column], split.code});
  FindLeaves(columns, tree_splits_, rows_, leaves_.data());
  return tree_splits_;
}

// A Newton step for each leaf, on all rows.
void SymmetricFit::SetLeafValues() {
  const size_t leaves = size_t{1} << tree_splits_.size();
  const double l2 = values_.Number("l2");
  leaf_values_.assign(leaves * outputs_, 0.0);
  for (size_t k = 0; k < outputs_; ++k) {
    leaf_sums_.assign(2 * leaves, 0.0);
    for (size_t i = 0; i < rows_; ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      leaf_sums_[2 * leaves_[i]] += static_cast<double>(weights_[row] * gradients_[k][row]);
      leaf_sums_[2 * leaves_[i] + 1] += static_cast<double>(weights_[row] * curvatures_[k][row]);
    }
    for (size_t l = 0; l < leaves; ++l) leaf_values_[l * outputs_ + k] = rate_ * leaf_sums_[2 * l] / (leaf_sums_[2 * l + 1] + l2);
  }
}

// Averages pairs of leaves that differ in one constrained test and disagree with it, a few times over; then lifts what still disagrees.
void SymmetricFit::MakeMonotone(std::span<const SymmetricSplit> splits) {
  if (options_.monotone.empty()) return;
  constexpr int kSweeps = 20;
  const auto sign = [&](size_t k) {
    const int64_t feature = columns_.FeatureOf(splits[k].column);
    return feature < 0 ? 0 : static_cast<int>(options_.monotone[static_cast<size_t>(feature)]);
  };
  for (int sweep = 0; sweep <= kSweeps; ++sweep) {
    bool changed = false;
    for (size_t k = 0; k < splits.size(); ++k) {
      if (sign(k) == 0) continue;
      for (size_t l = 0; l < leaf_values_.size(); ++l) {
        if ((l >> k & 1) != 0) continue;
        double& low = leaf_values_[sign(k) > 0 ? l : l | size_t{1} << k];
        double& high = leaf_values_[sign(k) > 0 ? l | size_t{1} << k : l];
        if (low <= high) continue;
        changed = true;
        low = high = (low + high) / 2;
      }
    }
    if (!changed) return;
  }
  for (size_t sweep = 0; sweep <= splits.size(); ++sweep) {
    for (size_t k = 0; k < splits.size(); ++k) {
      for (size_t l = 0; sign(k) != 0 && l < leaf_values_.size(); ++l) {
        if ((l >> k & 1) != 0) continue;
        const double low = leaf_values_[sign(k) > 0 ? l : l | size_t{1} << k];
        double& high = leaf_values_[sign(k) > 0 ? l | size_t{1} << k : l];
        high = std::max(high, low);
      }
    }
  }
}

void SymmetricFit::AddTree(const std::vector<uint8_t>& leaves, Scores* scores) const {
  for (size_t k = 0; k < outputs_; ++k) {
    float* score = (*scores)[k].data();
    for (Eigen::Index i = 0; i < (*scores)[k].size(); ++i)
      score[i] += static_cast<float>(leaf_values_[leaves[static_cast<size_t>(i)] * outputs_ + k]);
  }
}

double SymmetricFit::ValidationLoss() const {
  const Eigen::ArrayXf& y = validation_target_;
  const auto mean = [&](const Eigen::ArrayXf& losses) { return static_cast<double>((losses * validation_weights_).mean()); };
  if (classes_ == 0) return mean((y - validation_scores_[0]).square());
  if (outputs_ == 1) {
    const Eigen::ArrayXf& s = validation_scores_[0];
    return mean(s.max(0.0f) - s * y + (1.0f + (-s.abs()).exp()).log());
  }
  Eigen::ArrayXf largest = validation_scores_[0];
  for (size_t k = 1; k < outputs_; ++k) largest = largest.max(validation_scores_[k]);
  Eigen::ArrayXf sum = Eigen::ArrayXf::Zero(y.size()), own = sum;
  for (size_t k = 0; k < outputs_; ++k) {
    sum += (validation_scores_[k] - largest).exp();
    own += (y == static_cast<float>(k)).cast<float>() * validation_scores_[k];
  }
  return mean(sum.log() + largest - own);
}

std::shared_ptr<const Model> SymmetricFit::Run() {
  for (size_t k = 0; k < outputs_; ++k) {
    scores_.push_back(Eigen::ArrayXf::Constant(static_cast<Eigen::Index>(rows_), static_cast<float>(bias_[k])));
    validation_scores_.push_back(Eigen::ArrayXf::Constant(validation_target_.size(), static_cast<float>(bias_[k])));
  }
  gradients_ = curvatures_ = scores_;
  all_rows_.resize(rows_);
  std::iota(all_rows_.begin(), all_rows_.end(), 0u);
  norms_.resize(rows_);
  leaves_.resize(rows_);
  validation_leaves_.resize(static_cast<size_t>(validation_target_.size()));

  SymmetricTreesParameters trees;
  trees.outputs = data_.outputs();
  trees.link = classes_ == 0 ? Link::kIdentity : outputs_ == 1 ? Link::kSigmoid : Link::kSoftmax;
  const double scale = classes_ == 0 ? standard_.scale : 1;
  for (const double b : bias_) trees.bias.push_back(classes_ == 0 ? standard_.mean : b);
  const bool validates = validation_target_.size() > 0;
  double best_loss = validates ? ValidationLoss() : 0;
  size_t best_trees = 0, best_splits = 0, best_values = 0;
  const int64_t rounds = RoundsToMake(options_, values_.Integer("rounds"));
  for (int64_t round = 0; round < rounds; ++round) {
    if (round > 0 && options_.stop && options_.stop()) break;
    SetGradients();
    MaybeAddCombinations(round);
    const auto splits = GrowTree(round);
    SetLeafValues();
    MakeMonotone(splits);
    AddTree(leaves_, &scores_);
    trees.depth.push_back(static_cast<uint8_t>(splits.size()));
    splits_.insert(splits_.end(), splits.begin(), splits.end());
    for (const double value : leaf_values_) trees.leaf_values.push_back(scale * value);
    if (!validates) continue;
    FindLeaves(columns_.validation(), splits, validation_leaves_.size(), validation_leaves_.data());
    AddTree(validation_leaves_, &validation_scores_);
    const double loss = ValidationLoss();
    if (loss < best_loss) {
      best_loss = loss;
      best_trees = trees.depth.size();
      best_splits = splits_.size();
      best_values = trees.leaf_values.size();
    } else if (trees.depth.size() >= best_trees + static_cast<size_t>(values_.Integer("patience"))) {
      break;
    }
  }
  if (validates) {
    trees.depth.resize(best_trees);
    splits_.resize(best_splits);
    trees.leaf_values.resize(best_values);
  }
  if (options_.rounds_made != nullptr) *options_.rounds_made = static_cast<int64_t>(trees.depth.size());
  return columns_.Finish(std::move(trees), splits_);
}

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const StandardTarget standard = StandardiseTarget(training);
  if (training.data->features() == 0 || standard.scale == 0) return FitConstant(training);
  return SymmetricFit(training, values, options, standard).Run();
}

double CostUnits(double rows, double features, double outputs, const ParameterValues& values) {
  // Set by hand from CPU times of one thread; on four public tables within a factor of two. How many of the features are categories is not
  // known here: columns are a guess between none and all.
  constexpr double kCellLevel = 1.1e-7;  // 1.1 ns to add one value to the histograms of one level
  constexpr double kScore = 2.5e-7;      // 2.5 ns to score one bin of one leaf
  constexpr double kRow = 4e-6;          // 40 ns for a row's gradient, sampling, partition and score
  constexpr double kBins = 100;
  const double depth = values.Number("depth"), scores = outputs > 2 ? outputs : 1;
  const double columns = (1.5 * features + values.Number("combinations")) * values.Number("feature_fraction");
  const double lanes = 1 + std::min(scores, static_cast<double>(SymmetricTreeGrower::kMostOutputs)) / 4;
  const double cells = kCellLevel * rows * values.Number("subsample") * columns * depth * lanes;
  return values.Number("rounds") * (cells + kScore * columns * kBins * std::exp2(depth) * lanes + kRow * rows * scores);
}

const bool registered = Learners().Add(
    "symmetric_boosting",
    LearnerInfo{
        .summary = "Boosted symmetric trees with ordered target statistics (CatBoost's method): strong on tables rich in categories.",
        .paper = "Prokhorenkova, L. et al. (2018). CatBoost: unbiased boosting with categorical features. NeurIPS 31.",
        .parameters = Declare(),
        .binary = true,
        .multiclass = true,
        .regression = true,
        .weights = true,
        .monotone = true,
        .exceptions = {"ColumnOrderDoesNotMatter: noise in the choice of splits is drawn column by column"},
        .cost_units = CostUnits,
        .fit = Fit});

}  // namespace

}  // namespace everlearn
