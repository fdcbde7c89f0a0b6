#include "evaluation/running_score.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "evaluation/metric.h"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::string_view, 5> kClassification = {"accuracy", "kappa", "kappa_temporal", "log_loss", "brier"};
constexpr std::array<std::string_view, 5> kRegression = {"mae", "rmse", "r2", "mse", "mape"};

bool Contains(const std::array<std::string_view, 5>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void RunningScore::Sum::Add(double x) {
  const double sum = value + x;
  if (std::isfinite(sum)) rest += std::abs(value) >= std::abs(x) ? (value - sum) + x : (x - sum) + value;
  value = sum;
}

void RunningScore::Add(const double* prediction, double truth, double no_change) {
  ++rows_;
  if (classes_ == 0) {
    static const auto relative_error = Metrics().Get("mape").row_loss;
    const double error = *prediction - truth;
    absolute_.Add(std::abs(error));
    squared_.Add(error * error);
    relative_.Add(relative_error(prediction, truth, 0));
    if (rows_ == 1) first_truth_ = truth;
    const double distance = truth - first_truth_;
    const double step = distance - truth_mean_;
    truth_mean_ += step / static_cast<double>(rows_);
    truth_spread_ += step * (distance - truth_mean_);
    return;
  }
  static const auto brier = Metrics().Get("brier").row_loss;
  const auto actual = static_cast<size_t>(truth);
  const size_t guess = PredictedClass(prediction, classes_);
  log_loss_ += LogLoss(prediction, actual, classes_);
  brier_ += brier(prediction, truth, classes_);
  right_ += guess == actual;
  ++predicted_[guess];
  ++true_[actual];
  if (std::isnan(no_change)) return;
  ++compared_;
  compared_right_ += guess == actual;
  no_change_right_ += no_change == truth;
}

void RunningScore::Correct(const double* prediction, double old_truth, double truth) {
  if (rows_ == 0) return;
  if (classes_ == 0) {
    static const auto relative_error = Metrics().Get("mape").row_loss;
    const double before = *prediction - old_truth, error = *prediction - truth;
    absolute_.Add(-std::abs(before));
    absolute_.Add(std::abs(error));
    squared_.Add(-before * before);
    squared_.Add(error * error);
    relative_.Add(-relative_error(prediction, old_truth, 0));
    relative_.Add(relative_error(prediction, truth, 0));
    // Welford with one value replaced.
    const double was = old_truth - first_truth_, is = truth - first_truth_, mean = truth_mean_;
    truth_mean_ += (is - was) / static_cast<double>(rows_);
    truth_spread_ += (is - was) * (is - truth_mean_ + was - mean);
    return;
  }
  static const auto brier = Metrics().Get("brier").row_loss;
  const auto was = static_cast<size_t>(old_truth), is = static_cast<size_t>(truth);
  const size_t guess = PredictedClass(prediction, classes_);
  log_loss_ += LogLoss(prediction, is, classes_) - LogLoss(prediction, was, classes_);
  brier_ += brier(prediction, truth, classes_) - brier(prediction, old_truth, classes_);
  right_ += guess == is;
  right_ -= guess == was && right_ > 0;
  if (true_[was] > 0) --true_[was];
  ++true_[is];
}

void RunningScore::Usual(double* prediction) const {
  if (classes_ == 0) {
    prediction[0] = first_truth_ + truth_mean_;
    return;
  }
  for (size_t k = 0; k < classes_; ++k) prediction[k] = static_cast<double>(true_[k] + 1) / static_cast<double>(rows_ + classes_);
  if (classes_ == 2) prediction[0] = 1.0 - prediction[1];
}

double RunningScore::Kappa() const {
  const double rows = static_cast<double>(rows_);
  double chance = 0;
  for (size_t c = 0; c < classes_; ++c) chance += static_cast<double>(predicted_[c]) * static_cast<double>(true_[c]);
  const double wrong_by_chance = rows * rows - chance;
  return wrong_by_chance > 0 ? 1 - static_cast<double>(rows_ - right_) * rows / wrong_by_chance : kNaN;
}

double RunningScore::Value(std::string_view metric) const {
  if (rows_ == 0 || !Contains(classes_ == 0 ? kRegression : kClassification, metric)) return kNaN;
  const double rows = static_cast<double>(rows_);
  if (metric == "log_loss") return log_loss_ / rows;
  if (metric == "brier") return brier_ / rows;
  if (metric == "accuracy") return static_cast<double>(right_) / rows;
  if (metric == "kappa") return Kappa();
  if (metric == "kappa_temporal") {
    const double ahead = static_cast<double>(compared_right_) - static_cast<double>(no_change_right_);
    return compared_ == no_change_right_ ? kNaN : ahead / static_cast<double>(compared_ - no_change_right_);
  }
  if (metric == "mae") return absolute_.Get() / rows;
  if (metric == "mse") return squared_.Get() / rows;
  if (metric == "rmse") return std::sqrt(std::max(0.0, squared_.Get()) / rows);
  if (metric == "mape") return relative_.Get() / rows;
  if (rows_ < 2) return kNaN;
  if (truth_spread_ == 0) return squared_.Get() == 0 ? 1 : 0;
  return 1 - squared_.Get() / truth_spread_;
}

bool RunningScore::Knows(std::string_view metric) { return Contains(kClassification, metric) || Contains(kRegression, metric); }

JsonObject RunningScore::ToJson() const {
  JsonObject json;
  if (classes_ == 0) {
    for (const std::string_view name : {"mae", "rmse", "r2"}) json[name] = Value(name);
  } else {
    for (const std::string_view name : {"accuracy", "kappa", "kappa_temporal", "log_loss"}) json[name] = Value(name);
  }
  return json;
}

void RunningScore::Save(ByteWriter* out) const {
  out->PutVarint(classes_);
  for (const uint64_t count : {rows_, right_, compared_, compared_right_, no_change_right_}) out->Put(count);
  for (const double sum : {log_loss_, brier_, absolute_.value, absolute_.rest, squared_.value, squared_.rest, relative_.value,
                           relative_.rest, first_truth_, truth_mean_, truth_spread_})
    out->Put(sum);
  out->PutAll(predicted_);
  out->PutAll(true_);
}

void RunningScore::Load(ByteReader* in) {
  classes_ = in->GetVarint();
  for (uint64_t* count : {&rows_, &right_, &compared_, &compared_right_, &no_change_right_}) *count = in->Get<uint64_t>();
  for (double* sum : {&log_loss_, &brier_, &absolute_.value, &absolute_.rest, &squared_.value, &squared_.rest, &relative_.value,
                      &relative_.rest, &first_truth_, &truth_mean_, &truth_spread_})
    *sum = in->Get<double>();
  predicted_ = in->GetAll<uint64_t>();
  true_ = in->GetAll<uint64_t>();
  if (predicted_.size() != classes_ || true_.size() != classes_)
    throw Error(ErrorKind::kDamaged, "a stored score has the wrong number of classes");
}

}  // namespace everlearn
