// stochastic_gradient: linear, logistic or softmax regression learnt by steps on one row at a time. For very many rows, where a few passes
// are enough; on fewer rows `linear` finds the same model exactly.
//
// Steps of AdaGrad (Duchi, Hazan & Singer, Adaptive subgradient methods, JMLR 12, 2011); the model is the mean of the coefficients along
// the last part of the way (Polyak & Juditsky, Acceleration of stochastic approximation by averaging, 1992). Minimised is what `linear`
// minimises: numbers standardised, one coefficient a level, a squared penalty that is shared out over the rows that a column is in.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "kernels/moments.h"
#include "learners/constant.h"
#include "model/linear.h"

namespace everlearn {

namespace {

constexpr size_t kSnapshotsOfAPass = 16;  // that the mean is taken of
constexpr size_t kRowsBetweenStops = 4096;
constexpr double kLargestSlope = 1e3;  // of a standardised squared error: an outlier must not throw the model away

class StochasticGradient {
 public:
  StochasticGradient(const TrainingRows& training, const ParameterValues& values, const FitOptions& options)
      : data_(*training.data),
        rows_(training.rows.begin(), training.rows.end()),
        options_(options),
        l2_(values.Number("l2")),
        rate_(values.Number("learning_rate")),
        passes_(RoundsToMake(options, values.Integer("passes"))),
        classes_(data_.classes()),
        scores_(classes_ > 2 ? classes_ : 1),
        random_(options.seed) {
    std::erase_if(rows_, [&](uint32_t row) { return !(data_.weight(row) > 0); });
  }

  bool has_rows() const { return !rows_.empty(); }

  std::shared_ptr<const Model> Run() {
    Prepare();
    std::shared_ptr<const Model> best;
    double best_loss = std::numeric_limits<double>::infinity();
    for (int64_t pass = 0; pass < passes_ && !stopped_; ++pass) {
      MakePass();
      if (options_.validation.empty() && !stopped_ && pass + 1 < passes_) continue;
      std::shared_ptr<const Model> model = MeanModel();
      const double loss = options_.validation.empty() ? 0 : ValidationLoss(*model);
      if (best != nullptr && !(loss < best_loss)) break;
      if (options_.rounds_made != nullptr) *options_.rounds_made = pass + 1;
      best_loss = loss;
      best = std::move(model);
    }
    return best;
  }

 private:
  void Prepare() {
    std::vector<bool> is_category;
    std::vector<size_t> sizes;
    std::vector<double> mean, scale;
    const auto weight = [&](size_t i) { return data_.weight(rows_[i]); };
    for (size_t j = 0; j < data_.features(); ++j) {
      is_category.push_back(data_.is_category(j));
      sizes.push_back(data_.dictionary_size(j));
      const auto value = [&](size_t i) { return data_.row(rows_[i])[j]; };
      const Moments moments = data_.is_category(j) ? Moments{} : MomentsOf(rows_.size(), value, weight);
      mean.push_back(moments.mean);
      scale.push_back(moments.deviation);
    }
    columns_ = MakeLinearColumns(is_category, sizes, std::move(mean), std::move(scale));
    const auto target = [&](size_t i) { return data_.target()[rows_[i]]; };
    if (classes_ == 0) target_ = MomentsOf(rows_.size(), target, weight);
    double sum = 0;
    for (size_t i = 0; i < rows_.size(); ++i) sum += weight(i);
    weight_factor_ = static_cast<double>(rows_.size()) / sum;
    occurrences_.assign(columns_.columns(), 0);
    for (const uint32_t row : rows_)
      ForEachLinearColumn(columns_, data_.row(row), [&](uint64_t column, double) { ++occurrences_[column]; });
    weights_.assign((columns_.columns() + 1) * scores_, 0.0);
    squares_.assign(weights_.size(), 1e-8);
    sums_.assign(weights_.size(), 0.0);
    StartAtTheShares();
  }

  // The intercept stands behind the columns; it begins where all other coefficients are 0.
  void StartAtTheShares() {
    if (classes_ == 0) return;
    std::vector<double> share(std::max<size_t>(classes_, 2), 0.5);
    for (const uint32_t row : rows_) share[static_cast<size_t>(data_.target()[row])] += data_.weight(row) * weight_factor_;
    double* bias = weights_.data() + columns_.columns() * scores_;
    if (scores_ == 1) {
      bias[0] = std::log(share[1] / share[0]);
    } else {
      for (size_t k = 0; k < scores_; ++k) bias[k] = std::log(share[k] / static_cast<double>(rows_.size()));
    }
  }

  void MakePass() {
    random_.Shuffle(std::span(rows_));
    std::fill(sums_.begin(), sums_.end(), 0.0);
    snapshots_ = 0;
    const size_t between = std::max<size_t>(1, rows_.size() / kSnapshotsOfAPass);
    for (size_t i = 0; i < rows_.size() && !stopped_; ++i) {
      Learn(rows_[i]);
      if ((i + 1) % between == 0 || i + 1 == rows_.size()) AddSnapshot();
      if ((i + 1) % kRowsBetweenStops == 0 && options_.stop && options_.stop()) {
        stopped_ = true;
        if (snapshots_ == 0) AddSnapshot();
      }
    }
    stopped_ = stopped_ || (options_.stop && options_.stop());
  }

  void AddSnapshot() {
    for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += weights_[i];
    ++snapshots_;
  }

  void Learn(uint32_t row) {
    const size_t bias = columns_.columns();
    slopes_.assign(weights_.begin() + static_cast<std::ptrdiff_t>(bias * scores_), weights_.end());
    found_.clear();
    ForEachLinearColumn(columns_, data_.row(row), [&](uint64_t column, double value) {
      found_.emplace_back(column, value);
      for (size_t k = 0; k < scores_; ++k) slopes_[k] += value * weights_[column * scores_ + k];
    });
    TurnIntoSlopes(data_.target()[row], data_.weight(row) * weight_factor_);
    for (const auto& [column, value] : found_) {
      const double penalty = l2_ / static_cast<double>(occurrences_[column]);
      for (size_t k = 0; k < scores_; ++k) {
        const size_t at = column * scores_ + k;
        Step(at, slopes_[k] * value + penalty * weights_[at]);
      }
    }
    for (size_t k = 0; k < scores_; ++k) Step(bias * scores_ + k, slopes_[k]);
  }

  void TurnIntoSlopes(double y, double weight) {
    if (classes_ == 0) {
      slopes_[0] = std::clamp(slopes_[0] - (y - target_.mean) / target_.deviation, -kLargestSlope, kLargestSlope);
    } else if (scores_ == 1) {
      slopes_[0] = 1 / (1 + std::exp(-slopes_[0])) - y;
    } else {
      ApplyLink(Link::kSoftmax, slopes_.data(), scores_, 1.0, slopes_.data());
      slopes_[static_cast<size_t>(y)] -= 1;
    }
    for (double& slope : slopes_) slope *= weight;
  }

  void Step(size_t at, double gradient) {
    gradient = std::clamp(gradient, -1e100, 1e100);
    squares_[at] += gradient * gradient;
    weights_[at] -= rate_ * gradient / std::sqrt(squares_[at]);
  }

  std::shared_ptr<const Model> MeanModel() const {
    LinearParameters model;
    model.columns = columns_;
    model.outputs = data_.outputs();
    model.link = classes_ == 0 ? Link::kIdentity : scores_ == 1 ? Link::kSigmoid : Link::kSoftmax;
    const double scale = (classes_ == 0 ? target_.deviation : 1.0) / static_cast<double>(snapshots_);
    for (const double sum : sums_) model.weights.push_back(scale * sum);
    for (size_t k = 0; k < scores_; ++k) {
      model.bias.push_back((classes_ == 0 ? target_.mean : 0.0) + scale * sums_[columns_.columns() * scores_ + k]);
    }
    model.weights.resize(columns_.columns() * scores_);
    return MakeLinearModel(std::move(model));
  }

  double ValidationLoss(const Model& model) const {
    std::vector<double> prediction(data_.outputs());
    double loss = 0;
    for (const uint32_t row : options_.validation) {
      model.PredictRow(data_.row(row), prediction.data());
      const double y = data_.target()[row];
      const double error = (prediction[0] - y) / target_.deviation;
      loss += data_.weight(row) * (classes_ == 0 ? error * error : -std::log(std::max(prediction[static_cast<size_t>(y)], 1e-15)));
    }
    return loss;
  }

  const Dataset& data_;
  std::vector<uint32_t> rows_;
  const FitOptions& options_;
  double l2_, rate_;
  int64_t passes_;
  size_t classes_, scores_;
  Random random_;
  LinearColumns columns_;
  Moments target_;
  double weight_factor_ = 1;
  std::vector<uint32_t> occurrences_;      // rows in which a column is not 0
  std::vector<double> weights_, squares_;  // (columns + 1) × scores; sums of squared gradients
  std::vector<double> sums_;               // of the snapshots of this pass
  size_t snapshots_ = 0;
  bool stopped_ = false;
  std::vector<double> slopes_;  // of the row that is being learnt
  std::vector<std::pair<uint64_t, double>> found_;
};

std::vector<Parameter> Declare() {
  constexpr auto kLog = ParameterScale::kLog;
  return {{.name = "l2",
           .value = 1,
           .low = 1e-6,
           .high = 1e6,
           .scale = kLog,
           .doc = "Strength of the penalty on the coefficients.",
           .search = SearchRange{1e-2, 1e4}},
          {.name = "learning_rate",
           .value = 0.1,
           .low = 1e-4,
           .high = 10,
           .scale = kLog,
           .doc = "Size of the first steps.",
           .search = SearchRange{1e-2, 1}},
          {.name = "passes",
           .type = ParameterType::kInteger,
           .value = 5,
           .low = 1,
           .high = 1000,
           .scale = kLog,
           .doc = "Passes over the rows; with validation rows it ends after the first that does not help.",
           .search = SearchRange{10, 10}}};
}

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  StochasticGradient fit(training, values, options);
  if (!fit.has_rows()) return FitConstant(training);
  return fit.Run();
}

double CostUnits(double rows, double features, double outputs, const ParameterValues& values) {
  const double scores = outputs > 2 ? outputs : 1;
  return (5e-6 + (1e-6 + 1e-6 * scores) * (features + 1)) * rows * values.Number("passes");
}

const bool registered =
    Learners().Add("stochastic_gradient",
                   LearnerInfo{.summary = "Linear, logistic or softmax regression by steps on one row at a time: for very many rows.",
                               .paper = "Duchi, J., Hazan, E. and Singer, Y. (2011). Adaptive subgradient methods. JMLR 12.",
                               .parameters = Declare(),
                               .binary = true,
                               .multiclass = true,
                               .regression = true,
                               .weights = true,
                               .exceptions = {"ConstantTarget: steps come near to the value, not to all its digits"},
                               .cost_units = CostUnits,
                               .fit = Fit});

}  // namespace

}  // namespace everlearn
