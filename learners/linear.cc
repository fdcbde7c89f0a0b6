// Linear, logistic and multinomial regression with an elastic-net penalty. Good where effects add up, where there are few rows, or
// categories with very many levels; fast to fit and to predict, and the reference that a richer model has to beat.
//
// Numbers are standardised, a missing one is the mean plus an indicator, a category is one column a level, so that the penalty pulls rare
// levels to the average. Minimised is Σ w_i loss_i + l2 · Σ ((1 − l1_ratio) β²/2 + l1_ratio |β|), weights scaled to mean 1, the target of a
// regression to variance 1; the loss is half the squared error or the log-loss, the intercept is free. Numbers may bend at knots,
// categories may be crossed.
//
// Papers: Hoerl & Kennard, Ridge Regression, Technometrics 12 (1970); Friedman, Hastie & Tibshirani, Regularization Paths for Generalized
// Linear Models via Coordinate Descent, J. Stat. Softw. 33 (2010). Without l1 the minimum is found by L-BFGS, with it by coordinate descent
// (classification: iteratively reweighted least squares, class after class).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/parallel.h"
#include "kernels/coordinate_descent.h"
#include "kernels/design_matrix.h"
#include "kernels/l_bfgs.h"
#include "kernels/moments.h"
#include "learner/learner.h"
#include "learners/linear_encoding.h"
#include "model/linear.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 4096;
constexpr double kImpossible = -1000;  // score of a class without rows: its exponential is 0, and so is its gradient
constexpr double kLargestVariance = 0.25;
constexpr int kSweepsOfOneRound = 10;    // of coordinate descent, before the weights are made anew
constexpr double kLeastVariance = 1e-5;  // of a class in reweighted least squares, as in the paper's section 3

// One fit: the data as the kernels need it, and the coefficients that are sought.
class LinearFit {
 public:
  LinearFit(const TrainingRows& training, const ParameterValues& parameters, const FitOptions& options)
      : training_(training),
        options_(options),
        l1_(parameters.Number("l2") * parameters.Number("l1_ratio")),
        l2_(parameters.Number("l2") * (1 - parameters.Number("l1_ratio"))),
        max_iterations_(static_cast<int>(parameters.Integer("max_iterations"))),
        classes_(training.data->classes()),
        scores_(classes_ > 2 ? classes_ : 1),
        rows_(training.rows.size()),
        stretches_(static_cast<size_t>(parameters.Integer("splines"))),
        crosses_(static_cast<size_t>(parameters.Integer("crosses"))),
        design_(rows_) {
    ReadWeights();
    ReadTargets();
    FillDesign();
    coefficients_.assign(scores_ * design_.columns(), 0.0);
  }

  std::shared_ptr<const Model> Run() {
    if (present_classes_ > 1 || classes_ == 0) {
      if (l1_ > 0) {
        classes_ == 0 ? DescendSquares() : DescendLogLoss();
      } else {
        MinimizeSmooth();
      }
    }
    if (scores_ > 1) PlaceAbsentClasses();
    LinearParameters model;
    const double scale = classes_ == 0 ? target_.deviation : 1.0;
    model.outputs = training_.data->outputs();
    model.link = classes_ == 0 ? Link::kIdentity : scores_ == 1 ? Link::kSigmoid : Link::kSoftmax;
    for (const double b : bias_) model.bias.push_back(classes_ == 0 ? target_.mean + scale * b : b);
    model.weights.resize(coefficients_.size());
    for (size_t k = 0; k < scores_; ++k)
      for (size_t j = 0; j < design_.columns(); ++j) model.weights[j * scores_ + k] = scale * coefficients_[k * design_.columns() + j];
    model.columns = std::move(columns_);
    return MakeLinearModel(std::move(model));
  }

 private:
  void ReadWeights() {
    weights_.resize(rows_);
    for (size_t i = 0; i < rows_; ++i) weights_[i] = training_.data->weight(training_.rows[i]);
    const double mean = std::accumulate(weights_.begin(), weights_.end(), 0.0) / static_cast<double>(rows_);
    for (double& w : weights_) w = mean > 0 ? w / mean : 1.0;
  }

  // Targets: standardised values, or class indices with the intercepts that give the smoothed shares of the classes.
  void ReadTargets() {
    targets_.resize(rows_);
    for (size_t i = 0; i < rows_; ++i) targets_[i] = training_.data->target()[training_.rows[i]];
    bias_.assign(scores_, 0.0);
    if (classes_ == 0) {
      target_ = MomentsOf(
          rows_, [&](size_t i) { return targets_[i]; }, [&](size_t i) { return weights_[i]; });
      for (double& y : targets_) y = (y - target_.mean) / target_.deviation;
      return;
    }
    std::vector<double> share(std::max<size_t>(classes_, 2), 0.5);
    for (size_t i = 0; i < rows_; ++i) share[static_cast<size_t>(targets_[i])] += weights_[i];
    present_classes_ = static_cast<size_t>(std::count_if(share.begin(), share.end(), [](double s) { return s > 0.5; }));
    if (scores_ == 1) {
      bias_[0] = std::log(share[1] / share[0]);
      present_ = {true};
      return;
    }
    for (size_t k = 0; k < classes_; ++k) {
      present_.push_back(share[k] > 0.5);
      bias_[k] = present_[k] ? std::log(share[k] / static_cast<double>(rows_)) : kImpossible;
    }
  }

  void FillDesign() {
    const Dataset& data = *training_.data;
    std::vector<bool> is_category;
    std::vector<size_t> dictionary_sizes;
    std::vector<double> mean, scale;
    std::vector<std::vector<double>> knots(data.features());
    if (stretches_ > 1) knots = SplineKnots(training_, stretches_);
    for (size_t j = 0; j < data.features(); ++j) {
      is_category.push_back(data.is_category(j));
      dictionary_sizes.push_back(data.dictionary_size(j));
      const auto value = [&](size_t i) { return data.row(training_.rows[i])[j]; };
      const Moments moments = data.is_category(j) ? Moments{} : MomentsOf(rows_, value, [&](size_t i) { return weights_[i]; });
      mean.push_back(moments.mean);
      scale.push_back(moments.deviation);
      if (data.is_category(j)) {
        const auto codes = static_cast<int32_t>(data.dictionary_size(j));
        std::vector<int32_t> levels(rows_);
        for (size_t i = 0; i < rows_; ++i) {
          const double x = value(i);
          levels[i] = !(x >= 0) ? codes : x < codes ? static_cast<int32_t>(x) : -1;
        }
        design_.AddLevels(std::move(levels), static_cast<size_t>(codes) + 1);
        continue;
      }
      std::vector<double> numbers(rows_);
      std::vector<int32_t> missing(rows_, -1);
      for (size_t i = 0; i < rows_; ++i) {
        const double x = value(i);
        if (std::isnan(x)) missing[i] = 0;
        numbers[i] = std::isnan(x) ? 0.0 : std::clamp((x - moments.mean) / moments.deviation, -kLinearLimit, kLinearLimit);
      }
      design_.AddNumbers(std::move(numbers));
      design_.AddLevels(std::move(missing), 1);
      AddStretches(j, knots[j]);
    }
    columns_ = MakeLinearColumns(is_category, dictionary_sizes, std::move(mean), std::move(scale));
    const auto crosses = crosses_ > 0 ? ChooseCrosses(training_, crosses_) : std::vector<std::pair<uint32_t, uint32_t>>();
    if (stretches_ > 1 || !crosses.empty()) AddKnotsAndCrosses(knots, crosses, &columns_);
    for (size_t c = 0; c < crosses.size(); ++c) {
      std::vector<int32_t> levels(rows_);
      for (size_t i = 0; i < rows_; ++i) levels[i] = static_cast<int32_t>(CrossLevel(columns_, c, data.row(training_.rows[i])));
      design_.AddLevels(std::move(levels), columns_.begin[data.features() + c + 1] - columns_.begin[data.features() + c]);
    }
  }

  void AddStretches(size_t feature, const std::vector<double>& knots) {
    for (size_t k = 1; k < knots.size(); ++k) {
      std::vector<double> numbers(rows_);
      for (size_t i = 0; i < rows_; ++i) {
        const double x = training_.data->row(training_.rows[i])[feature];
        numbers[i] = std::isnan(x) ? 0.0 : StretchValue(knots[k - 1], knots[k], x);
      }
      design_.AddNumbers(std::move(numbers));
    }
  }

  void SetScores(std::span<const double> coefficients, std::span<const double> bias, std::vector<double>* scores) const {
    scores->resize(scores_ * rows_);
    design_.Multiply(coefficients, scores_, options_.threads, *scores);
    for (size_t k = 0; k < scores_; ++k)
      for (size_t i = 0; i < rows_; ++i) (*scores)[k * rows_ + i] += bias[k];
  }

  // Loss of row i; turns its scores into the loss's derivatives by them.
  double RowLoss(size_t i, double* scores) const {
    const double w = weights_[i], y = targets_[i];
    if (classes_ == 0) {
      const double error = scores[i] - y;
      scores[i] = w * error;
      return 0.5 * w * error * error;
    }
    if (scores_ == 1) {
      const double s = scores[i];
      scores[i] = w * (1 / (1 + std::exp(-s)) - y);
      return w * (std::max(s, 0.0) - s * y + std::log1p(std::exp(-std::abs(s))));
    }
    double largest = scores[i], sum = 0;
    for (size_t k = 1; k < scores_; ++k) largest = std::max(largest, scores[k * rows_ + i]);
    for (size_t k = 0; k < scores_; ++k) sum += std::exp(scores[k * rows_ + i] - largest);
    const auto label = static_cast<size_t>(y);
    const double loss = std::log(sum) + largest - scores[label * rows_ + i];
    for (size_t k = 0; k < scores_; ++k)
      scores[k * rows_ + i] = w * (std::exp(scores[k * rows_ + i] - largest) / sum - (k == label ? 1.0 : 0.0));
    return w * loss;
  }

  // Mean loss; leaves the derivatives in `scores`. Sums go block by block, so that they do not depend on the threads.
  double MeanLoss(std::vector<double>* scores) const {
    const size_t blocks = (rows_ + kBlockRows - 1) / kBlockRows;
    std::vector<double> losses(blocks, 0.0);
    ParallelFor(blocks, options_.threads, [&](size_t b) {
      for (size_t i = b * kBlockRows; i < std::min(rows_, (b + 1) * kBlockRows); ++i) losses[b] += RowLoss(i, scores->data());
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(rows_);
  }

  void MinimizeSmooth() {
    const size_t width = coefficients_.size();
    std::vector<double> x = coefficients_;
    x.insert(x.end(), bias_.begin(), bias_.end());
    std::vector<double> scores;
    const double n = static_cast<double>(rows_);
    const SmoothFunction objective = [&](std::span<const double> at, std::span<double> gradient) {
      SetScores(at.first(width), at.subspan(width), &scores);
      double value = MeanLoss(&scores);
      design_.TransposeMultiply(scores, scores_, options_.threads, gradient.first(width));
      for (size_t i = 0; i < width; ++i) {
        value += 0.5 * l2_ / n * at[i] * at[i];
        gradient[i] = (gradient[i] + l2_ * at[i]) / n;
      }
      for (size_t k = 0; k < scores_; ++k)
        gradient[width + k] = std::accumulate(scores.begin() + k * rows_, scores.begin() + (k + 1) * rows_, 0.0) / n;
      return value;
    };
    LBfgsOptions options;
    options.max_iterations = max_iterations_;
    options.gradient_tolerance = 1e-6;
    options.value_tolerance = 1e-10;
    options.stop = options_.stop;
    MinimizeLBfgs(objective, &x, options);
    std::copy_n(x.begin(), width, coefficients_.begin());
    std::copy(x.begin() + static_cast<std::ptrdiff_t>(width), x.end(), bias_.begin());
  }

  // A class without rows took no part: its likelihood has no maximum. In the end it is as likely as half a row, on average.
  void PlaceAbsentClasses() {
    std::vector<double> scores;
    SetScores(coefficients_, bias_, &scores);
    double evidence = 0;  // mean over the rows of the logarithm of Σ exp(score)
    for (size_t i = 0; i < rows_; ++i) {
      double largest = scores[i], sum = 0;
      for (size_t k = 1; k < scores_; ++k) largest = std::max(largest, scores[k * rows_ + i]);
      for (size_t k = 0; k < scores_; ++k) sum += std::exp(scores[k * rows_ + i] - largest);
      evidence += weights_[i] * (std::log(sum) + largest) / static_cast<double>(rows_);
    }
    for (size_t k = 0; k < scores_; ++k)
      if (!present_[k]) bias_[k] = evidence + std::log(0.5 / static_cast<double>(rows_));
  }

  CoordinateDescentOptions Penalty() const {
    CoordinateDescentOptions penalty;
    penalty.l1 = l1_;
    penalty.l2 = l2_;
    penalty.max_sweeps = max_iterations_;
    penalty.stop = options_.stop;
    return penalty;
  }

  void DescendSquares() {
    design_.IndexLevels();
    ElasticNetLeastSquares(design_, targets_, weights_, Penalty(), &bias_[0], coefficients_);
  }

  // What is minimised, divided by the rows; leaves the scores in scores_now_ and the derivatives of the loss in slopes_.
  double Objective() {
    SetScores(coefficients_, bias_, &scores_now_);
    slopes_ = scores_now_;
    double penalty = 0;
    for (const double c : coefficients_) penalty += l1_ * std::abs(c) + 0.5 * l2_ * c * c;
    return MeanLoss(&slopes_) + penalty / static_cast<double>(rows_);
  }

  // Iteratively reweighted least squares: each class in turn, at the probabilities of the moment (section 4.1 of the paper). A Newton step
  // that does not descend is taken again with the largest variance a class can have, which bounds the loss from above and so descends.
  void DescendLogLoss() {
    design_.IndexLevels();
    const size_t width = design_.columns();
    for (int sweeps = 0; sweeps < max_iterations_ && !(options_.stop && options_.stop()); sweeps += kSweepsOfOneRound) {
      const double start = Objective();
      double now = start;
      for (size_t k = 0; k < scores_; ++k) {
        if (!present_[k]) continue;
        const std::span<double> coefficients(coefficients_.data() + k * width, width);
        const std::vector<double> coefficients_before(coefficients.begin(), coefficients.end());
        const double bias_before = bias_[k], before = now;
        DescendClass(k, coefficients, kLeastVariance);
        now = Objective();
        if (now <= before) continue;
        std::copy(coefficients_before.begin(), coefficients_before.end(), coefficients.begin());
        bias_[k] = bias_before;
        Objective();
        DescendClass(k, coefficients, kLargestVariance);
        now = Objective();
      }
      if (start - now <= 1e-10 * start) break;
    }
  }

  void DescendClass(size_t k, std::span<double> coefficients, double least_variance) {
    std::vector<double> responses(rows_), weights(rows_);
    for (size_t i = 0; i < rows_; ++i) {
      const double hit = targets_[i] == static_cast<double>(scores_ == 1 ? 1 : k) ? 1.0 : 0.0;
      const double slope = weights_[i] > 0 ? slopes_[k * rows_ + i] / weights_[i] : 0.0;
      const double p = hit + slope, variance = std::max(p * (1 - p), least_variance);
      responses[i] = scores_now_[k * rows_ + i] - slope / variance;
      weights[i] = weights_[i] * variance;
    }
    CoordinateDescentOptions penalty = Penalty();
    penalty.max_sweeps = std::min(penalty.max_sweeps, kSweepsOfOneRound);
    ElasticNetLeastSquares(design_, responses, weights, penalty, &bias_[k], coefficients);
  }

  const TrainingRows& training_;
  const FitOptions& options_;
  double l1_, l2_;
  int max_iterations_;
  size_t classes_, scores_, rows_, stretches_, crosses_;
  DesignMatrix design_;
  LinearColumns columns_;
  std::vector<double> weights_, targets_;
  Moments target_;
  std::vector<bool> present_;  // one a score
  size_t present_classes_ = 0;
  std::vector<double> coefficients_, bias_;  // scores × columns, scores
  std::vector<double> scores_now_, slopes_;  // scores × rows, of the last call of Objective
};

LearnerInfo MakeLinear() {
  LearnerInfo info;
  info.summary = "Linear, logistic or multinomial regression with an elastic-net penalty; good where effects add up and rows are few.";
  info.paper = "Friedman, Hastie & Tibshirani, Regularization Paths for Generalized Linear Models via Coordinate Descent (2010)";
  info.parameters = {
      {"l2",
       ParameterType::kNumber,
       1.0,
       1e-6,
       1e6,
       ParameterScale::kLog,
       {},
       "Strength of the penalty on the coefficients.",
       SearchRange{1e-3, 1e4}},
      {"l1_ratio",
       ParameterType::kNumber,
       0.0,
       0.0,
       1.0,
       ParameterScale::kLinear,
       {},
       "Share of the penalty on absolute values instead of squares; above 0, coefficients become exactly 0."},
      {"max_iterations",
       ParameterType::kInteger,
       200,
       1,
       10000,
       ParameterScale::kLog,
       {},
       "Iterations of L-BFGS, or sweeps of coordinate descent, at most.",
       SearchRange{200, 200}},
      {"splines",
       ParameterType::kInteger,
       0,
       0,
       64,
       ParameterScale::kLinear,
       {},
       "Stretches of a linear spline that every number may bend along, of about equally many rows each; 0 and 1: none.",
       SearchRange{0, 32}},
      {"crosses",
       ParameterType::kInteger,
       0,
       0,
       200,
       ParameterScale::kLinear,
       {},
       "Pairs of categories that have a coefficient for each pair of values; those that promise most are taken.",
       SearchRange{0, 50}},
  };
  info.binary = info.multiclass = info.regression = true;
  info.weights = true;
  info.quick = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    const double scores = outputs > 2 ? outputs : 1;
    const double columns =
        features * (1 + static_cast<double>(parameters.Integer("splines"))) + static_cast<double>(parameters.Integer("crosses"));
    const double passes = std::min(static_cast<double>(parameters.Integer("max_iterations")), 120.0);
    // Measured: a pass takes 4 ns a number, and 40 ns a row for the exponential.
    return 0.01 + (4e-7 * columns + 4e-6) * rows * scores * passes;
  };
  info.fit = [](const TrainingRows& training, const ParameterValues& parameters, const FitOptions& options) {
    return LinearFit(training, parameters, options).Run();
  };
  return info;
}

const bool registered = Learners().Add("linear", MakeLinear());

}  // namespace
}  // namespace everlearn
