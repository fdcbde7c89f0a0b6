#include "search/stacking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "evaluation/metric.h"
#include "learner/learner.h"
#include "model/stack.h"
#include "search/ensemble_selection.h"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<double, 3> kPenalties = {1, 30, 1000};
constexpr size_t kLeastRows = 200;

// One problem: rows that all members have, as data of the top model.
class StackingTrial {
 public:
  StackingTrial(const StackingData& data, const StackingOptions& options)
      : data_(data), options_(options), metric_(Metrics().Get(data.metric)), outputs_(std::max<size_t>(data.classes, 1)) {
    for (size_t i = 0; i < data.truth.size(); ++i) {
      const bool there =
          std::all_of(data.members.begin(), data.members.end(), [&](std::span<const double> p) { return std::isfinite(p[i * outputs_]); });
      place_.push_back(there ? static_cast<int64_t>(rows_.size()) : -1);
      if (there) rows_.push_back(static_cast<uint32_t>(i));
    }
  }

  Stacking Run();

 private:
  std::unique_ptr<Dataset> MakeInputs() const;
  ParameterValues Parameters(double l2) const {
    ParameterValues values(Learners().Get(options_.learner).parameters);
    values.Set(options_.learner, "l2", NumberText(l2));
    return values;
  }
  bool Affordable() const;
  bool Stopped() const { return options_.stop && options_.stop(); }
  // The numbers, among the data of the top model, of the rows of a fold's part.
  std::vector<uint32_t> Places(std::span<const uint32_t> part) const {
    std::vector<uint32_t> places;
    for (const uint32_t row : part) {
      if (place_[row] >= 0) places.push_back(static_cast<uint32_t>(place_[row]));
    }
    return places;
  }
  void Predict(const Model& top, const Dataset& inputs, std::span<const uint32_t> places, std::vector<double>* predictions) const {
    for (const uint32_t place : places) top.PredictRow(inputs.row(place), &(*predictions)[place * outputs_]);
  }
  void Average(std::span<const uint32_t> train, std::span<const uint32_t> validation, std::vector<double>* predictions) const;
  double Value(const Dataset& inputs, std::span<const double> predictions) const;
  double RowLoss(const double* prediction, double truth) const;
  bool ClearlyBetter(const Dataset& inputs, std::span<const double> stacked, std::span<const double> average) const;

  const StackingData& data_;
  const StackingOptions& options_;
  const Metric& metric_;
  size_t outputs_;
  std::vector<int64_t> place_;  // of a row among rows_, or -1
  std::vector<uint32_t> rows_;
};

std::unique_ptr<Dataset> StackingTrial::MakeInputs() const {
  const size_t width = StackInputs(outputs_), features = width * data_.members.size();
  std::vector<double> values(rows_.size() * features), truth, weights;
  for (size_t i = 0; i < rows_.size(); ++i) {
    for (size_t m = 0; m < data_.members.size(); ++m)
      WriteStackInputs(&data_.members[m][rows_[i] * outputs_], outputs_, &values[i * features + m * width]);
    truth.push_back(data_.truth[rows_[i]]);
    if (!data_.weights.empty()) weights.push_back(data_.weights[rows_[i]]);
  }
  return std::make_unique<Dataset>(std::vector<bool>(features), std::vector<size_t>(features), std::move(values), std::move(truth),
                                   std::move(weights), data_.classes);
}

bool StackingTrial::Affordable() const {
  const LearnerInfo& learner = Learners().Get(options_.learner);
  const double one =
      learner.cost_units(static_cast<double>(rows_.size()), static_cast<double>(StackInputs(outputs_) * data_.members.size()),
                         static_cast<double>(outputs_), Parameters(1));
  return one * static_cast<double>(data_.folds.size() * kPenalties.size() + 1) <= options_.max_units;
}

// The selection's weights of the train rows, on the others.
void StackingTrial::Average(std::span<const uint32_t> train, std::span<const uint32_t> validation, std::vector<double>* predictions) const {
  std::vector<double> truth, weights;
  std::vector<std::vector<double>> columns(data_.members.size());
  for (const uint32_t place : train) {
    const size_t row = rows_[place];
    truth.push_back(data_.truth[row]);
    if (!data_.weights.empty()) weights.push_back(data_.weights[row]);
    for (size_t m = 0; m < columns.size(); ++m) {
      const double* p = &data_.members[m][row * outputs_];
      columns[m].insert(columns[m].end(), p, p + outputs_);
    }
  }
  std::vector<SelectionCandidate> candidates;
  for (const auto& column : columns) candidates.push_back({column});
  SelectionOptions options;
  options.seed = options_.seed;
  options.stop = options_.stop;
  const Selection selection = SelectEnsemble(data_.metric, truth, weights, data_.classes, candidates, options);
  for (const uint32_t place : validation) {
    for (size_t m = 0; m < columns.size(); ++m) {
      for (size_t k = 0; k < outputs_; ++k)
        (*predictions)[place * outputs_ + k] += selection.weights[m] * data_.members[m][rows_[place] * outputs_ + k];
    }
  }
}

double StackingTrial::Value(const Dataset& inputs, std::span<const double> predictions) const {
  std::vector<double> weights;
  for (size_t i = 0; inputs.has_weights() && i < inputs.rows(); ++i) weights.push_back(inputs.weight(i));
  return metric_.compute({inputs.target(), predictions, data_.classes, weights});
}

double StackingTrial::RowLoss(const double* prediction, double truth) const {
  if (metric_.row_loss) return metric_.row_loss(prediction, truth, data_.classes);
  if (data_.classes > 0) return LogLoss(prediction, static_cast<size_t>(truth), data_.classes);
  return (*prediction - truth) * (*prediction - truth);
}

bool StackingTrial::ClearlyBetter(const Dataset& inputs, std::span<const double> stacked, std::span<const double> average) const {
  double sum = 0, weights = 0, squares = 0;
  std::vector<double> gains;
  for (size_t i = 0; i < inputs.rows(); ++i) {
    const double truth = inputs.target()[i];
    gains.push_back(RowLoss(&average[i * outputs_], truth) - RowLoss(&stacked[i * outputs_], truth));
    sum += inputs.weight(i) * gains.back();
    weights += inputs.weight(i);
  }
  const double mean = sum / weights;
  for (size_t i = 0; i < gains.size(); ++i) squares += std::pow(inputs.weight(i) * (gains[i] - mean), 2);
  const double better =
      metric_.higher_is_better ? Value(inputs, stacked) - Value(inputs, average) : Value(inputs, average) - Value(inputs, stacked);
  return mean > 2 * std::sqrt(squares) / weights && better > 0;
}

Stacking StackingTrial::Run() {
  Stacking none{nullptr, kNaN, kNaN, {}};
  if (data_.members.size() < 2 || rows_.size() < kLeastRows || !Affordable()) return none;
  const std::unique_ptr<Dataset> inputs = MakeInputs();
  const size_t numbers = rows_.size() * outputs_;
  std::vector<double> average(numbers);
  std::vector<std::vector<double>> stacked(kPenalties.size(), std::vector<double>(numbers));
  size_t validated = 0;
  for (size_t fold = 0; fold < data_.folds.size(); ++fold) {
    if (Stopped()) return none;
    const std::vector<uint32_t> validation = Places(data_.folds[fold].validation);
    if (validation.empty()) continue;
    const std::vector<uint32_t> train = Places(data_.folds[fold].train);
    if (train.size() < kLeastRows / 2) return none;  // in order of time, the first part has no predictions to learn from
    Average(train, validation, &average);
    for (size_t p = 0; p < kPenalties.size(); ++p) {
      const auto top = FitLearner(options_.learner, {inputs.get(), train}, Parameters(kPenalties[p]), {options_.seed, 1, options_.stop});
      Predict(*top, *inputs, validation, &stacked[p]);
    }
    validated += validation.size();
  }
  if (Stopped() || validated != rows_.size()) return none;

  size_t best = 0;
  for (size_t p = 1; p < kPenalties.size(); ++p) {
    const double gain = Value(*inputs, stacked[p]) - Value(*inputs, stacked[best]);
    if (metric_.higher_is_better ? gain > 0 : gain < 0) best = p;
  }
  Stacking result{nullptr, Value(*inputs, stacked[best]), Value(*inputs, average), {}};
  if (!ClearlyBetter(*inputs, stacked[best], average)) return result;
  std::vector<uint32_t> all(rows_.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
  result.top = FitLearner(options_.learner, {inputs.get(), all}, Parameters(kPenalties[best]), {options_.seed, 1, {}});
  result.predictions.assign(data_.truth.size() * outputs_, kNaN);
  for (size_t i = 0; i < rows_.size(); ++i) std::copy_n(&stacked[best][i * outputs_], outputs_, &result.predictions[rows_[i] * outputs_]);
  return result;
}

}  // namespace

Stacking TryStacking(const StackingData& data, const StackingOptions& options) {
  try {
    return StackingTrial(data, options).Run();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    return {nullptr, kNaN, kNaN, {}};  // a fit that was stopped
  }
}

}  // namespace everlearn
