// Squared, absolute, Huber and quantile loss on a standardised target; Poisson, gamma and Tweedie deviance on a target divided by its mean;
// squared error of the standardised logarithm.
#include "learners/lightgbm_target.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace everlearn {

namespace {

constexpr size_t kMostFactorRows = 20'000;  // of those that the factor of log_squared is estimated on
constexpr double kLargestFactor = 2;

// Mean target of the rows over mean prediction, on evenly spread rows.
double RatioOfSums(const TrainingRows& rows, const Model& model) {
  const size_t step = rows.rows.size() / kMostFactorRows + 1;
  double targets = 0, predictions = 0, prediction = 0;
  for (size_t i = 0; i < rows.rows.size(); i += step) {
    const uint32_t row = rows.rows[i];
    model.PredictRow(rows.data->row(row), &prediction);
    targets += rows.data->weight(row) * rows.data->target()[row];
    predictions += rows.data->weight(row) * prediction;
  }
  const double ratio = targets / predictions;
  return std::isfinite(ratio) ? std::clamp(ratio, 1 / kLargestFactor, kLargestFactor) : 1;
}

double WeightedMean(const TrainingRows& training) {
  double weights = 0, sum = 0;
  for (const uint32_t row : training.rows) {
    weights += training.data->weight(row);
    sum += training.data->weight(row) * training.data->target()[row];
  }
  return weights > 0 ? sum / weights : 0;
}

}  // namespace

const std::vector<std::string>& RegressionLosses() {
  static const std::vector<std::string> names{"squared", "absolute", "huber", "quantile", "poisson", "gamma", "tweedie", "log_squared"};
  return names;
}

LightGbmTarget::LightGbmTarget(const TrainingRows& training, const RegressionLoss& loss) : classes_(training.data->classes()), loss_(loss) {
  if (classes_ > 0) {
    scale_ = StandardiseTarget(training).scale > 0 ? 1 : 0;
    return;
  }
  CheckRange(training);
  const StandardTarget standard = StandardiseTarget(training, [this](double target) { return Transformed(target); });
  shift_ = is_relative() ? 0 : standard.mean;
  scale_ = is_relative() && standard.scale > 0 ? WeightedMean(training) : standard.scale;
}

void LightGbmTarget::CheckRange(const TrainingRows& rows) const {
  const bool zero_is_in = loss_.name == "poisson" || loss_.name == "tweedie";
  if (!zero_is_in && loss_.name != "gamma" && loss_.name != "log_squared") return;
  for (const uint32_t row : rows.rows) {
    const double target = rows.data->target()[row];
    if (target > 0 || (zero_is_in && target == 0)) continue;
    throw Error(ErrorKind::kInput, "the loss " + loss_.name + " is for targets " + (zero_is_in ? "not below 0" : "above 0") +
                                       ", but there is " + NumberText(target));
  }
}

double LightGbmTarget::Transformed(double target) const { return loss_.name == "log_squared" ? std::log(target) : target; }

void LightGbmTarget::AddObjective(LightGbmParameters* parameters) const {
  LightGbmParameters& all = *parameters;
  if (classes_ > 0) {
    all["objective"] = classes_ == 2 ? "binary" : "multiclass";
    if (classes_ > 2) all["num_class"] = std::to_string(classes_);
    return;
  }
  static const std::map<std::string, std::string> theirs{
      {"squared", "regression"}, {"log_squared", "regression"}, {"absolute", "regression_l1"}};
  const auto found = theirs.find(loss_.name);
  all["objective"] = found == theirs.end() ? loss_.name : found->second;
  if (loss_.name == "quantile") all["alpha"] = NumberText(loss_.level);
  if (loss_.name == "huber") all["alpha"] = NumberText(loss_.delta);
  if (loss_.name == "tweedie") all["tweedie_variance_power"] = NumberText(loss_.power);
}

std::vector<float> LightGbmTarget::Labels(const TrainingRows& rows) const {
  if (classes_ == 0) CheckRange(rows);
  std::vector<float> labels;
  labels.reserve(rows.rows.size());
  for (const uint32_t row : rows.rows) {
    const double target = rows.data->target()[row];
    labels.push_back(static_cast<float>(classes_ > 0 ? target : (Transformed(target) - shift_) / scale_));
  }
  return labels;
}

void LightGbmTarget::Restore(const TrainingRows& rows, TreesParameters* trees, LinearLeaves* linear) const {
  if (classes_ > 0) return;
  const auto add = [&](double value) {
    for (uint32_t leaf = 0; leaf < trees->leaves.front(); ++leaf) {
      trees->leaf_values[leaf] += value;
      if (linear != nullptr) linear->constants[leaf] += value;
    }
  };
  if (is_relative()) {
    add(std::log(scale_));
    return;
  }
  for (double& value : trees->leaf_values) value *= scale_;
  if (linear != nullptr) {
    for (double& value : linear->constants) value *= scale_;
    for (double& value : linear->coefficients) value *= scale_;
  }
  add(shift_);
  if (loss_.name != "log_squared") return;
  trees->link = Link::kExp;
  add(std::log(RatioOfSums(rows, *(linear == nullptr ? MakeTrees(*trees) : MakeLinearTrees(*trees, *linear)))));
}

}  // namespace everlearn
