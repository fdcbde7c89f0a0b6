// Arrays of the file: those of NetworkInputs; `tables`, `weights`, `biases`, `head_weights`, `head_biases` (F32), `widths` (U64) and
// `target` (F64: mean, scale, low, high).
#include "model/network.h"

#include <algorithm>
#include <cmath>

#include "base/matrix_product.h"
#include "base/widest_vectors.h"
#include "model/check.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 512;         // rows × members that go through the layers together
constexpr size_t kMostWeights = 1u << 30;  // of a layer: more is damage

void Relu(float* __restrict z, size_t count) {
  for (size_t i = 0; i < count; ++i) z[i] = z[i] > 0.0f ? z[i] : 0.0f;
}

void Silu(float* __restrict z, size_t count) {
  for (size_t i = 0; i < count; ++i) z[i] = z[i] * (1.0f / (1.0f + FastExp(-z[i])));
}

void Exponentials(float* __restrict z, size_t count) {
  for (size_t i = 0; i < count; ++i) z[i] = FastExp(z[i]);
}

// Memory for one block.
struct Scratch {
  std::vector<uint32_t> positions;
  std::vector<float> fractions, inputs, before, after, scores;
};

class NetworkModel final : public Model {
 public:
  explicit NetworkModel(NetworkParameters parameters) : parameters_(std::move(parameters)) {
    const NetworkParameters& p = parameters_;
    const float* weights = p.weights.data();
    size_t in = p.inputs.embedded() + p.inputs.fixed();
    for (size_t l = 0; l < p.widths.size(); ++l) {
      const size_t out = l == 0 ? p.members * p.widths[0] : p.widths[l];
      layers_.emplace_back().Pack(weights, in, out, out, 1);
      weights += in * out;
      in = p.widths[l];
    }
    for (size_t m = 0; m < p.members; ++m)
      heads_.emplace_back().Pack(p.head_weights.data() + m * in * p.outputs, in, p.outputs, p.outputs, 1);
  }

  std::string_view kind() const override { return "network"; }
  size_t features() const override { return parameters_.inputs.features(); }
  size_t outputs() const override { return parameters_.outputs; }

  void PredictRow(const double* row, double* out) const override { Predict({row, 1, features()}, out); }

  void Predict(const RowsView& rows, double* out) const override {
    const size_t block = std::clamp<size_t>(kBlockRows / parameters_.members, 1, std::max<size_t>(1, rows.rows));
    Scratch scratch = MakeScratch(block);
    for (size_t i = 0; i < rows.rows; i += block)
      PredictBlock({rows.row(i), std::min(block, rows.rows - i), rows.columns}, &scratch, out + i * outputs());
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    const NetworkParameters& p = parameters_;
    p.inputs.Save(prefix, file);
    file->Add(prefix + "widths", std::span(p.widths));
    file->Add(prefix + "tables", std::span(p.tables));
    file->Add(prefix + "weights", std::span(p.weights));
    file->Add(prefix + "biases", std::span(p.biases));
    file->Add(prefix + "head_weights", std::span(p.head_weights));
    file->Add(prefix + "head_biases", std::span(p.head_biases));
    const std::vector<double> target{p.mean, p.scale, p.low, p.high};
    file->Add(prefix + "target", std::span(target));
    return JsonObject{{"classes", p.classes}, {"unit", p.unit == NetworkUnit::kRelu ? "relu" : "silu"}, {"members", p.members}};
  }

 private:
  Scratch MakeScratch(size_t rows) const {
    const NetworkParameters& p = parameters_;
    const uint64_t widest = *std::max_element(p.widths.begin(), p.widths.end());
    Scratch scratch;
    scratch.positions.resize(p.inputs.tables());
    scratch.fractions.resize(p.inputs.tables());
    scratch.inputs.resize(rows * (p.inputs.embedded() + p.inputs.fixed()));
    scratch.before.resize(rows * p.members * widest);
    scratch.after.resize(p.widths.size() > 1 ? scratch.before.size() : 0);
    scratch.scores.resize(rows * p.members * p.outputs);
    return scratch;
  }

  void Encode(const double* row, Scratch* scratch, float* out) const {
    const NetworkInputs& inputs = parameters_.inputs;
    inputs.Locate(row, scratch->positions.data(), scratch->fractions.data(), out + inputs.embedded());
    const float* table = parameters_.tables.data();
    for (size_t j = 0, t = 0; j < inputs.features(); ++j) {
      const size_t width = inputs.table_width[j];
      if (width == 0) continue;
      const float* values = table + scratch->positions[t] * width;
      const float fraction = scratch->fractions[t++];
      for (size_t e = 0; e < width; ++e) out[e] = fraction == 0 ? values[e] : values[e] + fraction * (values[e + width] - values[e]);
      out += width;
      table += inputs.TableRows(j) * width;
    }
  }

  void PredictBlock(const RowsView& rows, Scratch* scratch, double* out) const {
    const NetworkParameters& p = parameters_;
    const size_t in = p.inputs.embedded() + p.inputs.fixed();
    for (size_t i = 0; i < rows.rows; ++i) Encode(rows.row(i), scratch, scratch->inputs.data() + i * in);
    const size_t first_width = p.members * p.widths[0];
    Multiply(scratch->inputs.data(), rows.rows, in, layers_[0], p.biases.data(), scratch->before.data(), first_width);
    Activate(scratch->before.data(), rows.rows * first_width);
    const float* bias = p.biases.data() + first_width;
    for (size_t l = 1; l < p.widths.size(); ++l) {
      Multiply(scratch->before.data(), rows.rows * p.members, p.widths[l - 1], layers_[l], bias, scratch->after.data(), p.widths[l]);
      Activate(scratch->after.data(), rows.rows * p.members * p.widths[l]);
      std::swap(scratch->before, scratch->after);
      bias += p.widths[l];
    }
    const size_t last = p.widths.back();
    for (size_t m = 0; m < p.members; ++m)
      Multiply(scratch->before.data() + m * last, rows.rows, p.members * last, heads_[m], p.head_biases.data() + m * p.outputs,
               scratch->scores.data() + m * p.outputs, p.members * p.outputs);
    Combine(rows.rows, scratch->scores.data(), out);
  }

  void Activate(float* z, size_t count) const {
    parameters_.unit == NetworkUnit::kRelu ? RunWithWidestVectors<Relu>(z, count) : RunWithWidestVectors<Silu>(z, count);
  }

  // From the members' scores to the prediction.
  void Combine(size_t rows, float* scores, double* out) const {
    const NetworkParameters& p = parameters_;
    const auto members = static_cast<double>(p.members);
    if (!p.classes) {
      for (size_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (size_t m = 0; m < p.members; ++m) sum += *scores++;
        out[i] = std::clamp(p.mean + p.scale * (sum / members), p.low, p.high);
      }
      return;
    }
    for (float* score = scores; score < scores + rows * p.members * p.outputs; score += p.outputs) {
      const float largest = *std::max_element(score, score + p.outputs);
      for (size_t k = 0; k < p.outputs; ++k) score[k] -= largest;
    }
    RunWithWidestVectors<Exponentials>(scores, rows * p.members * p.outputs);
    for (size_t i = 0; i < rows; ++i, out += p.outputs) {
      std::fill_n(out, p.outputs, 0.0);
      for (size_t m = 0; m < p.members; ++m, scores += p.outputs) {
        double sum = 0;
        for (size_t k = 0; k < p.outputs; ++k) sum += scores[k];
        for (size_t k = 0; k < p.outputs; ++k) out[k] += scores[k] / (sum * members);
      }
      for (size_t k = 0; k < p.outputs; ++k) out[k] = std::min(out[k], 1.0);
    }
  }

  NetworkParameters parameters_;
  std::vector<PackedMatrix> layers_, heads_;
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  NetworkParameters p;
  p.inputs = NetworkInputs::Load(prefix, file);
  p.outputs = outputs;
  const Json& classes = Field(json, "classes");
  CheckModel(classes.is_bool(), "the network does not say whether it tells classes");
  p.classes = classes.as_bool();
  const std::string unit = TextField(json, "unit");
  CheckModel(unit == "relu" || unit == "silu", "the unit of the network is not known");
  p.unit = unit == "relu" ? NetworkUnit::kRelu : NetworkUnit::kSilu;
  const int64_t members = IntegerField(json, "members");
  CheckModel(members >= 1 && members <= 4096, "the network has a wrong number of members");
  p.members = static_cast<size_t>(members);
  p.widths = ToVector(file.Get<uint64_t>(prefix + "widths"));
  p.tables = ToVector(file.Get<float>(prefix + "tables"));
  p.weights = ToVector(file.Get<float>(prefix + "weights"));
  p.biases = ToVector(file.Get<float>(prefix + "biases"));
  p.head_weights = ToVector(file.Get<float>(prefix + "head_weights"));
  p.head_biases = ToVector(file.Get<float>(prefix + "head_biases"));
  const std::span<const double> target = file.Get<double>(prefix + "target");
  CheckModel(target.size() == 4, "the target of the network has a wrong number of values");
  p.mean = target[0];
  p.scale = target[1];
  p.low = target[2];
  p.high = target[3];
  CheckModel(p.inputs.features() == features, "the network has a wrong number of features");
  return MakeNetworkModel(std::move(p));
}

const bool registered = ModelKinds().Add("network", {"multilayer perceptron with embeddings and members that share hidden layers", Load});

bool AllFiniteFloats(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

std::shared_ptr<const Model> MakeNetworkModel(NetworkParameters p) {
  CheckModel(!p.inputs.knots_begin.empty(), "the network has no inputs");
  p.inputs.Check();
  CheckModel(p.outputs >= (p.classes ? 2 : 1) && (p.classes || p.outputs == 1), "the network has a wrong number of outputs");
  CheckModel(!p.widths.empty() && p.widths.size() <= 64, "the network has a wrong number of layers");
  size_t tables = 0, weights = 0, biases = 0, in = p.inputs.embedded() + p.inputs.fixed();
  for (size_t j = 0; j < p.inputs.features(); ++j) tables += p.inputs.TableRows(j) * p.inputs.table_width[j];
  for (size_t l = 0; l < p.widths.size(); ++l) {
    CheckModel(p.widths[l] >= 1 && p.widths[l] <= 1u << 16, "a layer of the network has a wrong width");
    const size_t out = (l == 0 ? p.members : 1) * p.widths[l];
    CheckModel(in <= kMostWeights / out, "a layer of the network is too large");
    weights += in * out;
    biases += out;
    in = p.widths[l];
  }
  CheckModel(p.tables.size() == tables && p.weights.size() == weights && p.biases.size() == biases &&
                 p.head_weights.size() == p.members * in * p.outputs && p.head_biases.size() == p.members * p.outputs,
             "the network has a wrong number of weights");
  for (const auto* values : {&p.tables, &p.weights, &p.biases, &p.head_weights, &p.head_biases})
    CheckModel(AllFiniteFloats(*values), "a weight of the network is not finite");
  CheckModel(std::isfinite(p.mean) && std::isfinite(p.scale) && std::isfinite(p.low) && std::isfinite(p.high) && p.low <= p.high,
             "the target of the network is not finite");
  return std::make_shared<NetworkModel>(std::move(p));
}

}  // namespace everlearn
