// The network kind against a plain computation in double precision, and against damaged parameters.
#include "model/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/random.h"
#include "data/table.h"

namespace everlearn {
namespace {

// A number with an embedding, a number without (its missing values have an indicator), an embedded category, a one-hot category.
NetworkInputs SampleInputs() {
  NetworkInputs inputs;
  inputs.is_category = {0, 0, 1, 1};
  inputs.centre = {10, -1, 0, 0};
  inputs.scale = {2, 0.5, 1, 1};
  inputs.indicator = {0, 1, 0, 0};
  inputs.levels = {0, 0, 4, 3};
  inputs.table_width = {3, 0, 2, 0};
  inputs.knots_begin = {0, 3, 3, 3, 3};
  inputs.knots = {8, 10, 14};
  return inputs;
}

NetworkParameters Sample(bool classes, size_t members, std::vector<uint64_t> widths, NetworkUnit unit) {
  Random random(3);
  const auto draw = [&](size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(0.5 * random.Normal());
    return values;
  };
  NetworkParameters p;
  p.inputs = SampleInputs();
  p.classes = classes;
  p.outputs = classes ? 3 : 1;
  p.unit = unit;
  p.members = members;
  p.widths = std::move(widths);
  p.tables = draw(4 * 3 + 5 * 2);
  size_t in = 5 + 1 + 2 + 3, weights = 0, biases = 0;
  for (size_t l = 0; l < p.widths.size(); ++l) {
    const size_t out = p.widths[l] * (l == 0 ? members : 1);
    weights += in * out;
    biases += out;
    in = p.widths[l];
  }
  p.weights = draw(weights);
  p.biases = draw(biases);
  p.head_weights = draw(members * in * p.outputs);
  p.head_biases = draw(members * p.outputs);
  if (!classes) {
    p.mean = 100;
    p.scale = 20;
    p.low = 80;
    p.high = 130;
  }
  return p;
}

std::vector<double> PredictionOf(const Model& model, const std::vector<double>& row) {
  std::vector<double> out(model.outputs());
  model.PredictRow(row.data(), out.data());
  return out;
}

// The inputs of a row, by the words of the header.
std::vector<double> PlainInputs(const NetworkParameters& p, const std::vector<double>& row) {
  std::vector<double> in;
  double place = std::isnan(row[0]) ? 3 : row[0] <= 8 ? 0 : row[0] >= 14 ? 2 : row[0] < 10 ? (row[0] - 8) / 2 : 1 + (row[0] - 10) / 4;
  const auto first = static_cast<size_t>(place);
  const double share = place - static_cast<double>(first);
  for (size_t e = 0; e < 3; ++e)
    in.push_back(p.tables[first * 3 + e] * (1 - share) + (share > 0 ? share * p.tables[(first + 1) * 3 + e] : 0));
  const size_t level = row[2] >= 0 && row[2] < 4 ? static_cast<size_t>(row[2]) : 4;
  for (size_t e = 0; e < 2; ++e) in.push_back(p.tables[12 + level * 2 + e]);
  const auto squash = [](double z) { return z / std::sqrt(1 + z * z / 9); };
  in.push_back(std::isnan(row[0]) ? 0 : squash((row[0] - 10) / 2));
  in.push_back(std::isnan(row[1]) ? 0 : squash((row[1] + 1) / 0.5));
  in.push_back(std::isnan(row[1]));
  for (size_t k = 0; k < 3; ++k) in.push_back(row[3] == static_cast<double>(k));
  return in;
}

std::vector<double> PlainPrediction(const NetworkParameters& p, const std::vector<double>& row) {
  const std::vector<double> inputs = PlainInputs(p, row);
  const auto unit = [&](double z) { return p.unit == NetworkUnit::kRelu ? std::max(0.0, z) : z / (1 + std::exp(-z)); };
  std::vector<double> prediction(p.outputs);
  for (size_t m = 0; m < p.members; ++m) {
    std::vector<double> h = inputs;
    const float *weights = p.weights.data(), *bias = p.biases.data();
    for (size_t l = 0; l < p.widths.size(); ++l) {
      const size_t columns = p.widths[l] * (l == 0 ? p.members : 1), offset = l == 0 ? m * p.widths[0] : 0;
      std::vector<double> next(p.widths[l]);
      for (size_t j = 0; j < next.size(); ++j) {
        double z = bias[offset + j];
        for (size_t k = 0; k < h.size(); ++k) z += h[k] * weights[k * columns + offset + j];
        next[j] = unit(z);
      }
      weights += h.size() * columns;
      bias += columns;
      h = next;
    }
    std::vector<double> scores(p.outputs);
    double sum = 0;
    for (size_t k = 0; k < p.outputs; ++k) {
      scores[k] = p.head_biases[m * p.outputs + k];
      for (size_t j = 0; j < h.size(); ++j) scores[k] += h[j] * p.head_weights[(m * h.size() + j) * p.outputs + k];
      sum += std::exp(scores[k]);
    }
    for (size_t k = 0; k < p.outputs; ++k)
      prediction[k] += (p.classes ? std::exp(scores[k]) / sum : scores[k]) / static_cast<double>(p.members);
  }
  if (!p.classes) prediction[0] = std::clamp(p.mean + p.scale * prediction[0], p.low, p.high);
  return prediction;
}

std::vector<std::vector<double>> SampleRows(size_t count) {
  Random random(9);
  std::vector<std::vector<double>> rows;
  for (size_t i = 0; i < count; ++i)
    rows.push_back({i % 11 == 0 ? kMissing : 6 + 10 * random.Uniform(), i % 7 == 0 ? kMissing : random.Normal(),
                    i % 13 == 0 ? kMissing : static_cast<double>(random.Below(6)), static_cast<double>(random.Below(4))});
  return rows;
}

TEST(NetworkModel, EqualsAPlainComputation) {
  for (const bool classes : {false, true}) {
    for (const NetworkUnit unit : {NetworkUnit::kRelu, NetworkUnit::kSilu}) {
      const NetworkParameters p = Sample(classes, 5, {17, 9, 33}, unit);
      const auto model = MakeNetworkModel(p);
      for (const auto& row : SampleRows(60)) {
        const std::vector<double> actual = PredictionOf(*model, row), expected = PlainPrediction(p, row);
        for (size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(actual[k], expected[k], classes ? 1e-5 : 1e-3);
      }
    }
  }
}

TEST(NetworkModel, ABatchEqualsItsRowsBitForBit) {
  for (const bool classes : {false, true}) {
    const auto model = MakeNetworkModel(Sample(classes, 3, {40, 24}, NetworkUnit::kSilu));
    const auto rows = SampleRows(701);
    std::vector<double> flat, batch(rows.size() * model->outputs());
    for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
    model->Predict({flat.data(), rows.size(), 4}, batch.data());
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::vector<double> single = PredictionOf(*model, rows[i]);
      for (size_t k = 0; k < single.size(); ++k) ASSERT_EQ(batch[i * single.size() + k], single[k]) << "row " << i;
    }
  }
}

TEST(NetworkModel, SavedAndLoadedPredictsTheSame) {
  const auto model = MakeNetworkModel(Sample(true, 2, {8}, NetworkUnit::kRelu));
  ArrayFileWriter writer;
  const Json json = model->Save("m.", &writer);
  const auto file = ArrayFile::Parse(writer.Bytes(), "m");
  const auto loaded = ModelKinds().Get("network").load(json, "m.", *file, 4, 3);
  for (const auto& row : SampleRows(20)) EXPECT_EQ(PredictionOf(*model, row), PredictionOf(*loaded, row));
  EXPECT_THROW(ModelKinds().Get("network").load(json, "m.", *file, 5, 3), Error);
  EXPECT_THROW(ModelKinds().Get("network").load(json, "m.", *file, 4, 2), Error);
  EXPECT_THROW(ModelKinds().Get("network").load(json, "m.", *file, 4, 1), Error);
}

TEST(NetworkModel, StandsExtremeValues) {
  NetworkParameters p = Sample(false, 2, {8}, NetworkUnit::kRelu);
  p.inputs.knots = {-1e308, 0, 1e308};
  p.inputs.centre[1] = -1e308;
  p.inputs.scale[1] = 1e-300;
  const auto model = MakeNetworkModel(std::move(p));
  for (const double x : {-1e308, 1e308, 0.0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()})
    EXPECT_TRUE(std::isfinite(PredictionOf(*model, {x, x, x, x})[0])) << x;
}

TEST(NetworkModel, RefusesWrongParameters) {
  const std::vector<std::function<void(NetworkParameters*)>> damages = {
      [](auto* p) { p->tables.pop_back(); },
      [](auto* p) { p->weights.push_back(0); },
      [](auto* p) { p->biases.pop_back(); },
      [](auto* p) { p->head_weights.pop_back(); },
      [](auto* p) { p->head_biases[0] = std::nanf(""); },
      [](auto* p) { p->weights[3] = std::numeric_limits<float>::infinity(); },
      [](auto* p) { p->widths = {}; },
      [](auto* p) { p->widths[0] = 0; },
      [](auto* p) { p->widths[1] = uint64_t{1} << 60; },
      [](auto* p) { p->outputs = 2; },
      [](auto* p) { p->low = 200; },
      [](auto* p) { p->mean = kMissing; },
      [](auto* p) { p->inputs.scale[0] = 0; },
      [](auto* p) { p->inputs.centre.pop_back(); },
      [](auto* p) { p->inputs.indicator[2] = 2; },
      [](auto* p) { p->inputs.levels[2] = 1u << 31; },
      [](auto* p) { p->inputs.table_width[1] = 3; },
      [](auto* p) { p->inputs.knots[1] = 8; },
      [](auto* p) {
        p->inputs.knots_begin = {0, 3, 2, 3, 3};
      },
      [](auto* p) { p->inputs.knots_begin = {}; },
  };
  for (size_t i = 0; i < damages.size(); ++i) {
    NetworkParameters p = Sample(false, 2, {8, 6}, NetworkUnit::kRelu);
    EXPECT_NO_THROW(MakeNetworkModel(p));
    damages[i](&p);
    try {
      MakeNetworkModel(std::move(p));
      ADD_FAILURE() << "damage " << i << " was not noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDamaged) << i;
    }
  }
}

}  // namespace
}  // namespace everlearn
