// Networks against PyTorch on stored cases (network_cases.py) and gradients against central differences.
#include "kernels/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>

#include "base/json.h"
#include "base/random.h"

namespace everlearn {
namespace {

std::vector<double> Numbers(const Json& json) {
  std::vector<double> numbers;
  for (const Json& number : json.as_array()) numbers.push_back(number.to_number<double>());
  return numbers;
}

template <typename T>
std::vector<T> NumbersAs(const Json& json) {
  const std::vector<double> numbers = Numbers(json);
  return {numbers.begin(), numbers.end()};
}

struct Rows {
  std::vector<float> fixed, fractions, targets, weights;
  std::vector<uint32_t> positions, all;
  NetworkData data() const { return {fixed.data(), positions.data(), fractions.data(), targets.data(), weights.data()}; }
};

Rows StoredRows(const Json& json) {
  Rows rows{NumbersAs<float>(Field(json, "fixed")),        NumbersAs<float>(Field(json, "fractions")),
            NumbersAs<float>(Field(json, "targets")),      NumbersAs<float>(Field(json, "weights")),
            NumbersAs<uint32_t>(Field(json, "positions")), {}};
  rows.all.resize(rows.targets.size());
  std::iota(rows.all.begin(), rows.all.end(), 0u);
  return rows;
}

NetworkShape StoredShape(const Json& json) {
  NetworkShape shape;
  for (const Json& table : ArrayField(json, "tables"))
    shape.tables.push_back({static_cast<size_t>(IntegerField(table, "rows")), static_cast<size_t>(IntegerField(table, "width")),
                            Field(table, "cumulative").as_bool()});
  shape.fixed = static_cast<size_t>(IntegerField(json, "fixed"));
  shape.members = static_cast<size_t>(IntegerField(json, "members"));
  shape.widths = NumbersAs<size_t>(Field(json, "widths"));
  shape.outputs = static_cast<size_t>(IntegerField(json, "outputs"));
  shape.classes = Field(json, "classes").as_bool();
  shape.activation = TextField(json, "activation") == "relu" ? NetworkActivation::kRelu : NetworkActivation::kSilu;
  return shape;
}

void ExpectNear(std::span<const float> actual, const std::vector<double>& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (size_t i = 0; i < actual.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << what << ' ' << i;
}

TEST(Network, EqualsPyTorch) {
  const std::string path = EVERLEARN_SOURCE_DIR "/kernels/network_cases.json";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const Json stored = ParseJson(text.str(), path);
  ASSERT_EQ(stored.as_array().size(), 4u);
  for (const Json& json : stored.as_array()) {
    const std::string name = TextField(json, "name");
    const Rows rows = StoredRows(Field(json, "rows"));
    Network network(StoredShape(json), 1);
    const auto parameters = NumbersAs<float>(Field(json, "parameters"));
    ASSERT_EQ(parameters.size(), network.parameters().size()) << name;
    std::copy(parameters.begin(), parameters.end(), network.parameters().begin());

    std::vector<float> scores(rows.all.size() * network.shape().members * network.shape().outputs);
    network.Predict(rows.data(), rows.all, scores);
    ExpectNear(scores, Numbers(Field(json, "scores")), 3e-6, name + ", score");

    const NetworkLossOptions loss{0, static_cast<float>(NumberField(json, "label_smoothing"))};
    EXPECT_NEAR(network.Differentiate(rows.data(), rows.all, loss), NumberField(json, "loss"), 1e-6) << name;
    ExpectNear(network.gradient(), Numbers(Field(json, "gradient")), 3e-6, name + ", derivative");

    AdamWStep step;
    step.learning_rate = 0.01f;
    step.weight_decay = 0.05f;
    network.Step(step);
    ExpectNear(network.parameters(), Numbers(Field(json, "after_one_step")), 2e-5, name + ", parameter");
    for (step.step = 2; step.step <= 3; ++step.step) {
      network.Differentiate(rows.data(), rows.all, loss);
      network.Step(step);
    }
    ExpectNear(network.parameters(), Numbers(Field(json, "after_three_steps")), 1e-4, name + ", parameter");
  }
}

// Random rows for a shape: some positions between two rows of a table, some on one.
Rows RandomRows(const NetworkShape& shape, size_t count) {
  Random random(7);
  Rows rows;
  for (size_t i = 0; i < count; ++i) {
    rows.all.push_back(static_cast<uint32_t>(i));
    for (const NetworkTable& table : shape.tables) {
      const uint64_t position = random.Below(table.rows);
      rows.positions.push_back(static_cast<uint32_t>(position));
      rows.fractions.push_back(table.cumulative && position + 2 < table.rows ? static_cast<float>(random.Uniform()) : 0.0f);
    }
    for (size_t j = 0; j < shape.fixed; ++j) rows.fixed.push_back(static_cast<float>(random.Normal()));
    rows.targets.push_back(shape.classes ? static_cast<float>(random.Below(shape.outputs)) : static_cast<float>(random.Normal()));
    rows.weights.push_back(static_cast<float>(0.5 + random.Uniform()));
  }
  return rows;
}

// More rows than one block, so that what is summed over blocks is checked too.
void CheckGradient(const NetworkShape& shape, float smoothing) {
  Network network(shape, 3);
  const Rows rows = RandomRows(shape, 300);
  const NetworkLossOptions options{0, smoothing};
  network.Differentiate(rows.data(), rows.all, options);
  const std::vector<float> gradient(network.gradient().begin(), network.gradient().end());
  Random random(5);
  const std::span<float> parameters = network.parameters();
  double largest = 0;
  for (const float g : gradient) largest = std::max(largest, static_cast<double>(std::abs(g)));
  ASSERT_GT(largest, 1e-3);
  for (int k = 0; k < 150; ++k) {
    const size_t i = random.Below(parameters.size());
    const float before = parameters[i];
    constexpr float kStep = 0.01f;
    parameters[i] = before + kStep;
    const double above = network.Differentiate(rows.data(), rows.all, options);
    parameters[i] = before - kStep;
    const double below = network.Differentiate(rows.data(), rows.all, options);
    parameters[i] = before;
    ASSERT_NEAR(gradient[i], (above - below) / (2 * kStep), 2e-3 * largest) << "parameter " << i;
  }
}

TEST(Network, GradientOfClassesEqualsDifferences) {
  NetworkShape shape;
  shape.tables = {{6, 4, true}, {5, 3, false}};
  shape.fixed = 3;
  shape.members = 3;
  shape.widths = {20, 12};
  shape.outputs = 4;
  shape.classes = true;
  shape.activation = NetworkActivation::kSilu;
  CheckGradient(shape, 0);
  CheckGradient(shape, 0.2f);
}

TEST(Network, GradientOfAValueEqualsDifferences) {
  NetworkShape shape;
  shape.tables = {{9, 5, true}};
  shape.fixed = 2;
  shape.members = 5;
  shape.widths = {16, 16, 16};
  shape.activation = NetworkActivation::kSilu;
  CheckGradient(shape, 0);
}

TEST(Network, SameSeedSameTraining) {
  NetworkShape shape;
  shape.fixed = 3;
  shape.members = 2;
  shape.widths = {17};
  const Rows rows = RandomRows(shape, 100);
  std::vector<std::vector<float>> results;
  for (const uint64_t seed : {1, 1, 2}) {
    Network network(shape, seed);
    AdamWStep step;
    for (; step.step <= 5; ++step.step) {
      network.Differentiate(rows.data(), rows.all, {0.3f, 0});
      network.Step(step);
    }
    results.emplace_back(network.parameters().begin(), network.parameters().end());
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_NE(results[0], results[2]);
}

TEST(Network, FitsARingThatNoLineSeparates) {
  NetworkShape shape;
  shape.fixed = 2;
  shape.widths = {32, 32};
  shape.members = 2;
  shape.outputs = 2;
  shape.classes = true;
  Rows rows = RandomRows(shape, 500);
  for (size_t i = 0; i < 500; ++i) rows.targets[i] = std::hypot(rows.fixed[2 * i], rows.fixed[2 * i + 1]) > 1.1f;
  Network network(shape, 1);
  AdamWStep step;
  step.learning_rate = 0.01f;
  double loss = 1;
  for (; step.step <= 400; ++step.step) {
    loss = network.Differentiate(rows.data(), rows.all, {});
    network.Step(step);
  }
  EXPECT_LT(loss, 0.05);
}

TEST(Dropout, DropsItsShareAndKeepsTheMean) {
  DropoutRandom random(1);
  std::vector<float> values(100'003, 1.0f), slopes(values.size());
  Activate(NetworkActivation::kRelu, 0.3f, &random, values, slopes.data());
  const auto dropped = static_cast<double>(std::count(values.begin(), values.end(), 0.0f));
  EXPECT_NEAR(dropped / static_cast<double>(values.size()), 0.3, 0.01);
  EXPECT_EQ(values, slopes);
  EXPECT_EQ(*std::max_element(values.begin(), values.end()), 1 / (1 - 0.3f));
}

}  // namespace
}  // namespace everlearn
