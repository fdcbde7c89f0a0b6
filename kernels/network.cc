#include "kernels/network.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr size_t kBlockActivations = 512;  // rows × members of a block, whose activations fit the second cache

}  // namespace

size_t NetworkShape::embedded() const {
  return std::accumulate(tables.begin(), tables.end(), size_t{0}, [](size_t sum, const NetworkTable& table) { return sum + table.width; });
}

NetworkLayout::NetworkLayout(const NetworkShape& shape) {
  size_t next = 0;
  const auto take = [&next](size_t count) { return std::exchange(next, next + count); };
  for (const NetworkTable& table : shape.tables) tables.push_back(take(table.rows * table.width));
  size_t inputs = shape.inputs();
  for (const size_t width : shape.widths) {
    weights.push_back(take(inputs * width));
    inputs = width;
  }
  head_weights = take(shape.members * inputs * shape.outputs);
  undecayed = next;
  scaling = take(shape.members * shape.inputs());
  for (const size_t width : shape.widths) biases.push_back(take(biases.empty() ? shape.members * width : width));
  head_biases = take(shape.members * shape.outputs);
  size = next;
}

Network::Network(NetworkShape shape, uint64_t seed)
    : shape_(std::move(shape)), layout_(shape_), dropout_random_(MixBits(seed)), parameters_(layout_.size) {
  assert(!shape_.widths.empty() && shape_.members > 0);
  gradient_.resize(layout_.size);
  mean_.resize(layout_.size);
  square_.resize(layout_.size);
  Start(seed);
  const size_t layers = shape_.widths.size(), block = BlockRows();
  table_rows_.resize(layout_.weights[0]);
  table_gradient_.resize(layout_.weights[0]);
  first_layer_.resize(shape_.inputs() * shape_.members * shape_.widths[0]);
  first_gradient_.resize(first_layer_.size());
  forward_.resize(layers);
  backward_.resize(layers);
  heads_.resize(shape_.members);
  heads_back_.resize(shape_.members);
  inputs_.resize(block * shape_.inputs());
  input_gradient_.resize(block * shape_.embedded());
  scores_.resize(block * shape_.members * shape_.outputs);
  activations_.resize(layers);
  slopes_.resize(layers);
  size_t widest = 0;
  for (size_t l = 0; l < layers; ++l) {
    widest = std::max(widest, shape_.widths[l]);
    activations_[l].resize(block * shape_.members * shape_.widths[l]);
    slopes_[l].resize(activations_[l].size());
  }
  delta_.resize(block * shape_.members * widest);
  next_delta_.resize(delta_.size());
}

size_t Network::BlockRows() const { return std::max<size_t>(1, kBlockActivations / shape_.members); }

void Network::Start(uint64_t seed) {
  Random random(seed);
  const auto uniform = [&](size_t begin, size_t count, double limit) {
    for (size_t i = begin; i < begin + count; ++i) parameters_[i] = static_cast<float>((2 * random.Uniform() - 1) * limit);
  };
  for (size_t j = 0; j < shape_.tables.size(); ++j) {
    const NetworkTable& table = shape_.tables[j];
    const double limit = 1 / std::sqrt(static_cast<double>(table.width));
    float* rows = parameters_.data() + layout_.tables[j];
    if (!table.cumulative) {
      for (size_t i = 0; i < table.rows * table.width; ++i) rows[i] = static_cast<float>(random.Normal() * limit);
      continue;
    }
    const double pieces = std::max(1.0, static_cast<double>(table.rows) - 2);
    for (size_t e = 0; e < table.width; ++e) {
      const double slope = (2 * random.Uniform() - 1) * limit, bias = (2 * random.Uniform() - 1) * limit;
      const double span = std::sqrt(3.0);
      rows[e] = static_cast<float>(bias - slope * span);
      for (size_t t = 1; t + 1 < table.rows; ++t) rows[t * table.width + e] = static_cast<float>(slope * 2 * span / pieces);
      rows[(table.rows - 1) * table.width + e] = static_cast<float>(bias);
    }
  }
  size_t inputs = shape_.inputs();
  for (size_t l = 0; l < shape_.widths.size(); ++l) {
    const double limit = 1 / std::sqrt(static_cast<double>(std::max<size_t>(1, inputs)));
    uniform(layout_.weights[l], inputs * shape_.widths[l], limit);
    uniform(layout_.biases[l], (l == 0 ? shape_.members : 1) * shape_.widths[l], limit);
    inputs = shape_.widths[l];
  }
  const double limit = 1 / std::sqrt(static_cast<double>(inputs));
  uniform(layout_.head_weights, shape_.members * inputs * shape_.outputs, limit);
  uniform(layout_.head_biases, shape_.members * shape_.outputs, limit);
  float* scaling = parameters_.data() + layout_.scaling;
  for (size_t m = 0; m < shape_.members; ++m) {
    const auto draw = [&](size_t columns) {
      scaling = std::fill_n(scaling, columns, shape_.members == 1 ? 1.0f : static_cast<float>(random.Normal()));
    };
    for (const NetworkTable& table : shape_.tables) draw(table.width);
    for (size_t j = 0; j < shape_.fixed; ++j) draw(1);
  }
}

std::vector<float> Network::TableRows() const {
  std::vector<float> rows(layout_.weights[0]);
  SetTableRows(&rows);
  return rows;
}

std::vector<float> Network::FirstLayer() const {
  std::vector<float> layer(first_layer_.size());
  SetFirstLayer(&layer);
  return layer;
}

void Network::SetTableRows(std::vector<float>* rows) const {
  std::copy_n(parameters_.begin(), rows->size(), rows->begin());
  for (size_t j = 0; j < shape_.tables.size(); ++j) {
    const NetworkTable& table = shape_.tables[j];
    if (!table.cumulative) continue;
    float* values = rows->data() + layout_.tables[j];
    for (size_t i = table.width; i < (table.rows - 1) * table.width; ++i) values[i] += values[i - table.width];
  }
}

void Network::SetFirstLayer(std::vector<float>* layer) const {
  const size_t inputs = shape_.inputs(), width = shape_.widths[0], members = shape_.members;
  float* out = layer->data();
  for (size_t d = 0; d < inputs; ++d) {
    const float* weights = parameters_.data() + layout_.weights[0] + d * width;
    for (size_t m = 0; m < members; ++m) {
      const float scale = parameters_[layout_.scaling + m * inputs + d];
      for (size_t h = 0; h < width; ++h) *out++ = scale * weights[h];
    }
  }
}

void Network::Prepare() {
  SetTableRows(&table_rows_);
  SetFirstLayer(&first_layer_);
  const size_t first_width = shape_.members * shape_.widths[0];
  forward_[0].Pack(first_layer_.data(), shape_.inputs(), first_width, first_width, 1);
  backward_[0].Pack(first_layer_.data(), first_width, shape_.embedded(), 1, first_width);
  for (size_t l = 1; l < shape_.widths.size(); ++l) {
    const float* weights = parameters_.data() + layout_.weights[l];
    const size_t in = shape_.widths[l - 1], out = shape_.widths[l];
    forward_[l].Pack(weights, in, out, out, 1);
    backward_[l].Pack(weights, out, in, 1, out);
  }
  const size_t width = shape_.widths.back(), outputs = shape_.outputs;
  for (size_t m = 0; m < shape_.members; ++m) {
    const float* weights = parameters_.data() + layout_.head_weights + m * width * outputs;
    heads_[m].Pack(weights, width, outputs, outputs, 1);
    heads_back_[m].Pack(weights, outputs, width, 1, outputs);
  }
}

void Network::Gather(const NetworkData& data, std::span<const uint32_t> rows) {
  const size_t tables = shape_.tables.size();
  float* out = inputs_.data();
  for (const uint32_t row : rows) {
    for (size_t j = 0; j < tables; ++j) {
      const size_t width = shape_.tables[j].width;
      const float* values = table_rows_.data() + layout_.tables[j] + data.positions[row * tables + j] * width;
      const float fraction = data.fractions[row * tables + j];
      if (fraction == 0) {
        std::copy_n(values, width, out);
      } else {
        for (size_t e = 0; e < width; ++e) out[e] = values[e] + fraction * (values[e + width] - values[e]);
      }
      out += width;
    }
    out = std::copy_n(data.fixed + row * shape_.fixed, shape_.fixed, out);
  }
}

// Leaves activations_ and scores_; slopes_ too where `options` is not null.
void Network::Forward(std::span<const uint32_t> rows, const NetworkLossOptions* options) {
  const size_t members = shape_.members, count = rows.size();
  for (size_t l = 0; l < shape_.widths.size(); ++l) {
    const float* bias = parameters_.data() + layout_.biases[l];
    const size_t width = shape_.widths[l];
    float* out = activations_[l].data();
    if (l == 0) {
      Multiply(inputs_.data(), count, shape_.inputs(), forward_[0], bias, out, members * width);
    } else {
      const size_t in = shape_.widths[l - 1];
      Multiply(activations_[l - 1].data(), count * members, in, forward_[l], bias, out, width);
    }
    Activate(shape_.activation, options == nullptr ? 0 : options->dropout, &dropout_random_, {out, count * members * width},
             options == nullptr ? nullptr : slopes_[l].data());
  }
  const size_t width = shape_.widths.back(), outputs = shape_.outputs;
  for (size_t m = 0; m < members; ++m)
    Multiply(activations_.back().data() + m * width, count, members * width, heads_[m],
             parameters_.data() + layout_.head_biases + m * outputs, scores_.data() + m * outputs, members * outputs);
}

void Network::Predict(const NetworkData& data, std::span<const uint32_t> rows, std::span<float> scores) {
  Prepare();
  const size_t block = BlockRows(), per_row = shape_.members * shape_.outputs;
  for (size_t begin = 0; begin < rows.size(); begin += block) {
    const auto part = rows.subspan(begin, std::min(block, rows.size() - begin));
    Gather(data, part);
    Forward(part, nullptr);
    std::copy_n(scores_.data(), part.size() * per_row, scores.data() + begin * per_row);
  }
}

double Network::Differentiate(const NetworkData& data, std::span<const uint32_t> rows, const NetworkLossOptions& options) {
  Prepare();
  std::fill(gradient_.begin(), gradient_.end(), 0.0f);
  std::fill(first_gradient_.begin(), first_gradient_.end(), 0.0f);
  std::fill(table_gradient_.begin(), table_gradient_.end(), 0.0f);
  const double scale = 1 / static_cast<double>(rows.size() * shape_.members);
  double loss = 0;
  for (size_t begin = 0; begin < rows.size(); begin += BlockRows()) {
    const auto part = rows.subspan(begin, std::min(BlockRows(), rows.size() - begin));
    Gather(data, part);
    Forward(part, &options);
    loss += ScoreGradient(data, part, options.label_smoothing, scale);
    Backward(data, part);
  }
  FinishFirstLayer();
  FinishTables();
  return loss;
}

// Turns scores_ into the derivatives of the loss by them; gives the loss of these rows.
double Network::ScoreGradient(const NetworkData& data, std::span<const uint32_t> rows, float label_smoothing, double scale) {
  const size_t members = shape_.members, outputs = shape_.outputs;
  double loss = 0;
  float* score = scores_.data();
  if (!shape_.classes) {
    for (const uint32_t row : rows) {
      const double weight = scale * data.weights[row];
      for (size_t m = 0; m < members; ++m, ++score) {
        const double error = *score - data.targets[row];
        loss += 0.5 * weight * error * error;
        *score = static_cast<float>(weight * error);
      }
    }
    return loss;
  }
  const float even = label_smoothing / static_cast<float>(outputs), own = 1 - label_smoothing;
  for (const uint32_t row : rows) {
    const double weight = scale * data.weights[row];
    const auto target = static_cast<size_t>(data.targets[row]);
    for (size_t m = 0; m < members; ++m, score += outputs) {
      const float largest = *std::max_element(score, score + outputs);
      double linear = 0;
      for (size_t k = 0; k < outputs; ++k) {
        score[k] -= largest;
        linear += even * score[k];
      }
      loss -= weight * (linear + own * score[target]);
    }
  }
  Exponentials({scores_.data(), rows.size() * members * outputs});
  score = scores_.data();
  for (const uint32_t row : rows) {
    const auto weight = static_cast<float>(scale * data.weights[row]);
    const auto target = static_cast<size_t>(data.targets[row]);
    for (size_t m = 0; m < members; ++m, score += outputs) {
      float sum = 0;
      for (size_t k = 0; k < outputs; ++k) sum += score[k];
      loss += weight * std::log(sum);
      const float factor = weight / sum;
      for (size_t k = 0; k < outputs; ++k) score[k] = score[k] * factor - weight * even;
      score[target] -= weight * own;
    }
  }
  return loss;
}

void Network::Backward(const NetworkData& data, std::span<const uint32_t> rows) {
  const size_t members = shape_.members, outputs = shape_.outputs, last = shape_.widths.back(), count = rows.size();
  for (size_t i = 0; i < count; ++i)
    for (size_t k = 0; k < members * outputs; ++k) gradient_[layout_.head_biases + k] += scores_[i * members * outputs + k];
  for (size_t m = 0; m < members; ++m) {
    AddTransposedProduct(activations_.back().data() + m * last, count, last, members * last, scores_.data() + m * outputs, outputs,
                         members * outputs, gradient_.data() + layout_.head_weights + m * last * outputs, outputs);
    Multiply(scores_.data() + m * outputs, count, members * outputs, heads_back_[m], nullptr, delta_.data() + m * last, members * last);
  }
  for (size_t l = shape_.widths.size(); l-- > 0;) {
    const size_t width = shape_.widths[l];
    MultiplyBySlopes(slopes_[l].data(), {delta_.data(), count * members * width},
                     {gradient_.data() + layout_.biases[l], l == 0 ? members * width : width});
    if (l == 0) break;
    const size_t in = shape_.widths[l - 1];
    AddTransposedProduct(activations_[l - 1].data(), count * members, in, in, delta_.data(), width, width,
                         gradient_.data() + layout_.weights[l], width);
    Multiply(delta_.data(), count * members, width, backward_[l], nullptr, next_delta_.data(), in);
    std::swap(delta_, next_delta_);
  }
  const size_t first_width = members * shape_.widths[0];
  AddTransposedProduct(inputs_.data(), count, shape_.inputs(), shape_.inputs(), delta_.data(), first_width, first_width,
                       first_gradient_.data(), first_width);
  if (shape_.embedded() > 0) BackwardTables(data, rows);
}

// Into table_gradient_: derivatives by the rows of the tables.
void Network::BackwardTables(const NetworkData& data, std::span<const uint32_t> rows) {
  const size_t embedded = shape_.embedded(), first_width = shape_.members * shape_.widths[0], tables = shape_.tables.size();
  Multiply(delta_.data(), rows.size(), first_width, backward_[0], nullptr, input_gradient_.data(), embedded);
  const float* gradient = input_gradient_.data();
  for (const uint32_t row : rows) {
    for (size_t j = 0; j < tables; ++j) {
      const size_t width = shape_.tables[j].width;
      float* sums = table_gradient_.data() + layout_.tables[j] + data.positions[row * tables + j] * width;
      const float fraction = data.fractions[row * tables + j];
      for (size_t e = 0; e < width; ++e) sums[e] += (1 - fraction) * gradient[e];
      if (fraction != 0)
        for (size_t e = 0; e < width; ++e) sums[e + width] += fraction * gradient[e];
      gradient += width;
    }
  }
}

// From the derivatives by the scaled weights of all members to those by weights and scalings.
void Network::FinishFirstLayer() {
  const size_t inputs = shape_.inputs(), width = shape_.widths[0], members = shape_.members;
  const float* product = first_gradient_.data();
  for (size_t d = 0; d < inputs; ++d) {
    const float* weights = parameters_.data() + layout_.weights[0] + d * width;
    float* sums = gradient_.data() + layout_.weights[0] + d * width;
    for (size_t m = 0; m < members; ++m, product += width) {
      const float scale = parameters_[layout_.scaling + m * inputs + d];
      float dot = 0;
      for (size_t h = 0; h < width; ++h) {
        sums[h] += scale * product[h];
        dot += weights[h] * product[h];
      }
      if (members > 1) gradient_[layout_.scaling + m * inputs + d] = dot;
    }
  }
}

void Network::FinishTables() {
  for (size_t j = 0; j < shape_.tables.size(); ++j) {
    const NetworkTable& table = shape_.tables[j];
    const float* rows = table_gradient_.data() + layout_.tables[j];
    float* out = gradient_.data() + layout_.tables[j];
    std::copy_n(rows, table.rows * table.width, out);
    if (!table.cumulative) continue;
    for (size_t t = table.rows - 2; t-- > 0;)
      for (size_t e = 0; e < table.width; ++e) out[t * table.width + e] += out[(t + 1) * table.width + e];
  }
}

void Network::Step(AdamWStep step) {
  const auto apply = [&](size_t begin, size_t end) {
    const size_t count = end - begin;
    ApplyAdamW(step, {gradient_.data() + begin, count}, {mean_.data() + begin, count}, {square_.data() + begin, count},
               {parameters_.data() + begin, count});
  };
  apply(0, layout_.undecayed);
  step.weight_decay = 0;
  apply(layout_.undecayed, layout_.size);
}

}  // namespace everlearn
