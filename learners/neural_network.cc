// neural_network: a multilayer perceptron for tables with embeddings of numbers and categories and an ensemble of members inside one net.
// Good where the target is a smooth function of many columns at once, and beside trees, from which its errors differ.
//
// Holzmüller, Grinsztajn & Steinwart, Better by default: strong pre-tuned MLPs and boosted trees on tabular data, 2024 (scaling of the
// inputs, one-hot and embedded categories, outputs held inside the targets' range, schedule); Gorishniy, Kotelnikov & Babenko, TabM, 2024
// (members, defaults of the optimiser).
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "kernels/network.h"
#include "learners/constant.h"
#include "learners/lightgbm_booster.h"
#include "learners/network_data.h"
#include "model/network.h"

namespace everlearn {

namespace {

std::vector<Parameter> Declare() {
  using enum ParameterType;
  constexpr auto kLog = ParameterScale::kLog;
  return {
      {.name = "layers", .type = kInteger, .value = 2, .low = 1, .high = 6, .doc = "Hidden layers.", .search = {{1, 3}}},
      {.name = "width",
       .type = kInteger,
       .value = 128,
       .low = 16,
       .high = 1024,
       .scale = kLog,
       .doc = "Units of each hidden layer.",
       .search = {{64, 384}}},
      {.name = "members",
       .type = kInteger,
       .value = 4,
       .low = 1,
       .high = 64,
       .scale = kLog,
       .doc = "Nets inside the net, which share the hidden layers and are averaged.",
       .search = {{1, 16}}},
      {.name = "activation", .type = kChoice, .value = 1, .choices = {"relu", "silu"}, .doc = "Of the hidden units."},
      {.name = "embedding_width",
       .type = kInteger,
       .value = 8,
       .low = 0,
       .high = 64,
       .doc = "Columns of the piecewise-linear embedding of each number; 0: none.",
       .search = {{0, 24}}},
      {.name = "embedding_pieces",
       .type = kInteger,
       .value = 32,
       .low = 2,
       .high = 256,
       .scale = kLog,
       .doc = "Most pieces of these embeddings.",
       .search = {{8, 128}}},
      {.name = "one_hot",
       .type = kInteger,
       .value = 8,
       .low = 1,
       .high = 256,
       .scale = kLog,
       .doc = "Most levels of a category with a column each; others have learned embeddings.",
       .search = {{2, 64}}},
      {.name = "learning_rate",
       .value = 1e-2,
       .low = 1e-4,
       .high = 5e-2,
       .scale = kLog,
       .doc = "Of AdamW, at its highest.",
       .search = {{1e-3, 3e-2}}},
      {.name = "weight_decay",
       .value = 1e-2,
       .low = 1e-5,
       .high = 1,
       .scale = kLog,
       .doc = "Of AdamW, on weights and embeddings.",
       .search = {{1e-4, 0.5}}},
      {.name = "dropout", .value = 0.1, .low = 0, .high = 0.7, .doc = "Share of hidden units left out in each step.", .search = {{0, 0.5}}},
      {.name = "label_smoothing",
       .value = 0,
       .low = 0,
       .high = 0.3,
       .doc = "Share of each label that is given to all classes.",
       .search = {{0, 0.05}}},
      {.name = "epochs",
       .type = kInteger,
       .value = 40,
       .low = 1,
       .high = 1000,
       .scale = kLog,
       .doc = "Passes over the rows.",
       .search = {{10, 100}}},
      {.name = "batch",
       .type = kInteger,
       .value = 0,
       .low = 0,
       .high = 8192,
       .doc = "Rows of a step; 0: by the number of rows, at most 256.",
       .search = {{0, 0}}},
      {.name = "patience",
       .value = 0.3,
       .low = 0.05,
       .high = 1,
       .doc = "Share of the epochs without a better validation loss after which training ends.",
       .search = {{0.3, 0.3}}}};
}

// A power of two that makes about 32 steps of a pass, from 16 to 256.
size_t BatchRows(double rows, const ParameterValues& values) {
  if (values.Integer("batch") > 0) return static_cast<size_t>(values.Integer("batch"));
  return static_cast<size_t>(std::exp2(std::clamp(std::floor(std::log2(std::max(1.0, rows / 32))), 4.0, 8.0)));
}

// The rate rises over the first steps, stays, and falls as a cosine over the second half.
double RateAt(double progress) {
  constexpr double kRise = 0.02, kFall = 0.5;
  if (progress < kRise) return (progress + 1e-3) / (kRise + 1e-3);
  return progress < kFall ? 1 : 0.5 * (1 + std::cos(std::numbers::pi * (progress - kFall) / (1 - kFall)));
}

class NetworkFit {
 public:
  NetworkFit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options, const StandardTarget& standard)
      : training_(training),
        values_(values),
        options_(options),
        standard_(standard),
        classes_(training.data->classes()),
        inputs_(FitNetworkInputs(training, InputOptions(values))),
        mean_(classes_ > 0 ? 0 : standard.mean),
        scale_(classes_ > 0 ? 1 : standard.scale),
        rows_(inputs_, training, mean_, scale_),
        validation_(inputs_, {training.data, options.validation}, mean_, scale_),
        network_(Shape(), options.seed) {}

  std::shared_ptr<const Model> Run() {
    Train();
    if (!best_.empty()) std::copy(best_.begin(), best_.end(), network_.parameters().begin());
    for (const float parameter : network_.parameters())
      if (!std::isfinite(parameter)) throw Error(ErrorKind::kInput, "the network diverged", "lower its learning_rate");
    return Export();
  }

 private:
  static NetworkInputOptions InputOptions(const ParameterValues& values) {
    return {static_cast<size_t>(values.Integer("embedding_width")), static_cast<size_t>(values.Integer("embedding_pieces")),
            static_cast<size_t>(values.Integer("one_hot"))};
  }

  NetworkShape Shape() const {
    NetworkShape shape;
    shape.tables = NetworkTables(inputs_);
    shape.fixed = inputs_.fixed();
    shape.members = static_cast<size_t>(values_.Integer("members"));
    shape.widths.assign(static_cast<size_t>(values_.Integer("layers")), static_cast<size_t>(values_.Integer("width")));
    shape.outputs = training_.data->outputs();
    shape.classes = classes_ > 0;
    shape.activation = values_.Choice("activation") == "relu" ? NetworkActivation::kRelu : NetworkActivation::kSilu;
    return shape;
  }

  void Train() {
    const auto epochs = static_cast<size_t>(values_.Integer("epochs"));
    const size_t count = training_.rows.size(), batch = BatchRows(static_cast<double>(count), values_);
    const size_t steps = epochs * ((count + batch - 1) / batch);
    const auto patience = static_cast<size_t>(std::ceil(values_.Number("patience") * static_cast<double>(epochs)));
    const auto most = static_cast<size_t>(RoundsToMake(options_, static_cast<int64_t>(epochs)));  // the rate falls as if all were made
    const NetworkLossOptions loss{static_cast<float>(values_.Number("dropout")), static_cast<float>(values_.Number("label_smoothing"))};
    AdamWStep step;
    step.weight_decay = static_cast<float>(values_.Number("weight_decay"));
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    Random random(options_.seed);
    if (options_.rounds_made != nullptr) *options_.rounds_made = 0;
    for (size_t epoch = 0, best_epoch = 0; epoch < most; ++epoch) {
      random.Shuffle(std::span(order));
      for (size_t i = 0; i < count; i += batch) {
        if (options_.stop && options_.stop()) {
          if (step.step == 1) throw Error(ErrorKind::kInterrupted, "it was stopped before the first step");
          return;
        }
        network_.Differentiate(rows_.data(), std::span(order).subspan(i, std::min(batch, count - i)), loss);
        step.learning_rate =
            static_cast<float>(values_.Number("learning_rate") * RateAt(static_cast<double>(step.step - 1) / static_cast<double>(steps)));
        network_.Step(step);
        ++step.step;
      }
      if (options_.validation.empty()) {
        SayRounds(epoch);
        continue;
      }
      if (KeepIfBest()) {
        best_epoch = epoch;
        SayRounds(epoch);
      } else if (epoch - best_epoch >= patience) {
        return;
      }
    }
  }

  void SayRounds(size_t epoch) {
    if (options_.rounds_made != nullptr) *options_.rounds_made = static_cast<int64_t>(epoch) + 1;
  }

  // Whether the loss on the validation rows is the least so far.
  bool KeepIfBest() {
    const double loss = ValidationLoss();
    if (!(loss < best_loss_)) return false;
    best_loss_ = loss;
    best_.assign(network_.parameters().begin(), network_.parameters().end());
    return true;
  }

  // Mean log-loss or squared error of the members' mean.
  double ValidationLoss() {
    const size_t count = options_.validation.size(), members = network_.shape().members, outputs = network_.shape().outputs;
    std::vector<uint32_t> all(count);
    std::iota(all.begin(), all.end(), 0u);
    std::vector<float> scores(count * members * outputs);
    network_.Predict(validation_.data(), all, scores);
    double loss = 0;
    const float* score = scores.data();
    for (size_t i = 0; i < count; ++i) {
      double prediction = 0;  // the value, or the probability of the true class
      for (size_t m = 0; m < members; ++m, score += outputs) {
        if (classes_ == 0) {
          prediction += *score;
          continue;
        }
        double sum = 0;
        const float own = score[static_cast<size_t>(validation_.targets[i])];
        for (size_t k = 0; k < outputs; ++k) sum += std::exp(static_cast<double>(score[k] - own));
        prediction += 1 / sum;
      }
      prediction /= static_cast<double>(members);
      const double error = prediction - validation_.targets[i];
      loss += validation_.weights[i] * (classes_ == 0 ? error * error : -std::log(std::max(prediction, 1e-15)));
    }
    return loss;
  }

  std::shared_ptr<const Model> Export() {
    const NetworkShape& shape = network_.shape();
    const NetworkLayout& layout = network_.layout();
    const std::span<const float> all = network_.parameters();
    const auto copy = [&](size_t begin, size_t end) { return std::vector<float>(all.begin() + begin, all.begin() + end); };
    NetworkParameters parameters;
    parameters.inputs = inputs_;
    parameters.outputs = shape.outputs;
    parameters.classes = shape.classes;
    parameters.unit = shape.activation == NetworkActivation::kRelu ? NetworkUnit::kRelu : NetworkUnit::kSilu;
    parameters.members = shape.members;
    parameters.widths.assign(shape.widths.begin(), shape.widths.end());
    parameters.tables = network_.TableRows();
    FillUnseenLevels(inputs_, rows_, parameters.tables);
    parameters.weights = network_.FirstLayer();
    const size_t first_end = layout.weights[0] + shape.inputs() * shape.widths[0];
    parameters.weights.insert(parameters.weights.end(), all.begin() + first_end, all.begin() + layout.head_weights);
    parameters.biases = copy(layout.biases[0], layout.head_biases);
    parameters.head_weights = copy(layout.head_weights, layout.undecayed);
    parameters.head_biases = copy(layout.head_biases, layout.size);
    if (classes_ == 0) {
      parameters.mean = mean_;
      parameters.scale = scale_;
      const auto target = [&](uint32_t a, uint32_t b) { return training_.data->target()[a] < training_.data->target()[b]; };
      const auto [low, high] = std::minmax_element(training_.rows.begin(), training_.rows.end(), target);
      parameters.low = training_.data->target()[*low];
      parameters.high = training_.data->target()[*high];
    }
    return MakeNetworkModel(std::move(parameters));
  }

  const TrainingRows& training_;
  const ParameterValues& values_;
  const FitOptions& options_;
  const StandardTarget& standard_;
  size_t classes_;
  NetworkInputs inputs_;
  double mean_, scale_;
  NetworkRows rows_, validation_;
  Network network_;
  double best_loss_ = std::numeric_limits<double>::infinity();
  std::vector<float> best_;  // parameters of the best epoch
};

std::shared_ptr<const Model> Fit(const TrainingRows& training, const ParameterValues& values, const FitOptions& options) {
  const StandardTarget standard = StandardiseTarget(training);
  if (training.data->features() == 0 || standard.scale == 0) return FitConstant(training);
  return NetworkFit(training, values, options, standard).Run();
}

double CostUnits(double rows, double features, double outputs, const ParameterValues& values) {
  const double width = values.Number("width"), members = values.Number("members"), layers = values.Number("layers");
  const double first = features * (1 + values.Number("embedding_width")) * members * width, hidden = (layers - 1) * width * width;
  // Multiplications and additions of a row forward, and twice as many back, at 70 billion a second; 2.5 ns a weight and step to lay out the
  // weights and to change them.
  const double products = 6 * (first + members * (hidden + std::max(16.0, outputs) * width));
  const double steps = std::ceil(rows / static_cast<double>(BatchRows(rows, values)));
  return 0.01 + values.Number("epochs") * (rows * products / 7e8 + steps * (first + hidden) * 2.5e-7);
}

const bool registered = Learners().Add(
    "neural_network",
    LearnerInfo{.summary = "A multilayer perceptron with embeddings and members inside one net: good where the target is smooth.",
                .paper =
                    "Gorishniy, Y., Kotelnikov, A. & Babenko, A. (2024). TabM: Advancing tabular deep learning with parameter-efficient "
                    "ensembling. arXiv:2410.24210.",
                .parameters = Declare(),
                .binary = true,
                .multiclass = true,
                .regression = true,
                .weights = true,
                .exceptions = {"ColumnOrderDoesNotMatter: the starting weights are drawn by the position of the columns"},
                .cost_units = CostUnits,
                .fit = Fit});

}  // namespace

}  // namespace everlearn
