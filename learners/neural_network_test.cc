// The neural network on made data: what it learns, when it ends, what it does with levels it never saw.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "learner/learner.h"
#include "learners/network_data.h"

namespace everlearn {
namespace {

constexpr size_t kTrain = 1500, kRows = 2500;

// A product of waves of two numbers, shifted by one of twelve levels, with noise.
std::unique_ptr<Dataset> Waves(double noise, size_t classes = 0) {
  Random random(1);
  std::vector<double> values, target;
  for (size_t i = 0; i < kRows; ++i) {
    const double a = random.Uniform(), b = random.Uniform(), level = static_cast<double>(random.Below(12));
    const double y = 3 * std::sin(5 * a) * std::cos(4 * b) + 0.2 * level + noise * random.Normal();
    values.insert(values.end(), {a, b, level});
    target.push_back(classes == 0 ? 50 + 10 * y : static_cast<double>(y > 1));
  }
  return std::make_unique<Dataset>(std::vector<bool>{false, false, true}, std::vector<size_t>{0, 0, 12}, values, target,
                                   std::vector<double>{}, classes);
}

std::vector<uint32_t> Range(uint32_t begin, uint32_t end) {
  std::vector<uint32_t> rows(end - begin);
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

ParameterValues Values(std::vector<std::pair<std::string, std::string>> set) {
  ParameterValues values(Learners().Get("neural_network").parameters);
  for (const auto& [name, text] : set) values.Set("neural_network", name, text);
  return values;
}

double MeanSquare(const Model& model, const Dataset& data, const std::vector<uint32_t>& rows) {
  double sum = 0;
  for (const uint32_t row : rows) {
    double out;
    model.PredictRow(data.row(row), &out);
    sum += (out - data.target()[row]) * (out - data.target()[row]);
  }
  return sum / static_cast<double>(rows.size());
}

TEST(NeuralNetwork, LearnsASurface) {
  const auto data = Waves(0.1);
  const auto train = Range(0, kTrain), test = Range(kTrain, kRows);
  const auto model = FitLearner("neural_network", {data.get(), train}, Values({}), {.seed = 1});
  // The variance of the target is above 300, that of the noise 1.
  EXPECT_LT(MeanSquare(*model, *data, test), 6);
  const auto linear = FitLearner("linear", {data.get(), train}, ParameterValues(Learners().Get("linear").parameters), {.seed = 1});
  EXPECT_GT(MeanSquare(*linear, *data, test), 100);
}

TEST(NeuralNetwork, PredictsInsideTheRangeOfTargets) {
  const auto data = Waves(0);
  const auto train = Range(0, kTrain);
  const auto model = FitLearner("neural_network", {data.get(), train}, Values({{"epochs", "3"}}), {.seed = 1});
  const auto [low, high] = std::minmax_element(data->target().begin(), data->target().begin() + kTrain);
  for (double x = -50; x < 50; x += 0.5) {
    const std::vector<double> row{x, -3 * x, 5};
    double out;
    model->PredictRow(row.data(), &out);
    EXPECT_GE(out, *low);
    EXPECT_LE(out, *high);
  }
}

// With more noise than signal a large net learns its rows by heart; with validation rows it ends at its best.
TEST(NeuralNetwork, GivesTheBestEpoch) {
  const auto data = Waves(4);
  const auto train = Range(0, 300), validation = Range(300, 1300), test = Range(1300, kRows);
  const ParameterValues values = Values({{"dropout", "0"}, {"weight_decay", "1e-5"}, {"epochs", "60"}, {"width", "256"}});
  const auto all = FitLearner("neural_network", {data.get(), train}, values, {.seed = 1});
  const auto best = FitLearner("neural_network", {data.get(), train}, values, {.seed = 1, .validation = validation});
  EXPECT_LT(MeanSquare(*best, *data, validation), 0.9 * MeanSquare(*all, *data, validation));
  EXPECT_LT(MeanSquare(*best, *data, test), 0.9 * MeanSquare(*all, *data, test));
}

TEST(NeuralNetwork, StopsWithWhatThereIs) {
  const auto data = Waves(0.1);
  const auto train = Range(0, kTrain), validation = Range(kTrain, kRows);
  int asked = 0;
  const FitOptions options{.seed = 1, .stop = [&] { return ++asked > 200; }, .validation = validation};
  const auto model = FitLearner("neural_network", {data.get(), train}, Values({{"epochs", "1000"}}), options);
  EXPECT_EQ(asked, 201);
  EXPECT_LT(MeanSquare(*model, *data, validation), 200);
  try {
    FitLearner("neural_network", {data.get(), train}, Values({}), {.seed = 1, .stop = [] { return true; }});
    ADD_FAILURE() << "there is no model before the first step";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
}

TEST(NeuralNetwork, EveryChoiceTrains) {
  const auto data = Waves(0.1, 2);
  const auto train = Range(0, kTrain);
  for (const auto& set : std::vector<std::vector<std::pair<std::string, std::string>>>{{{"members", "1"}, {"layers", "1"}},
                                                                                       {{"activation", "relu"}, {"layers", "3"}},
                                                                                       {{"embedding_width", "0"}, {"width", "50"}},
                                                                                       {{"one_hot", "64"}, {"batch", "100"}},
                                                                                       {{"label_smoothing", "0.2"}}}) {
    const auto model = FitLearner("neural_network", {data.get(), train}, Values(set), {.seed = 1});
    double right = 0;
    for (size_t i = kTrain; i < kRows; ++i) {
      double out[2];
      model->PredictRow(data->row(i), out);
      right += (out[1] > 0.5) == (data->target()[i] > 0.5);
    }
    EXPECT_GT(right / (kRows - kTrain), 0.93) << set[0].first;
  }
}

TEST(NetworkData, UnseenLevelsHaveTheMeanEmbedding) {
  const Dataset data({true}, {20}, {0, 0, 0, 1, 1, 1, 1, 1, 1, 2}, std::vector<double>(10), {}, 0);
  const std::vector<uint32_t> rows = Range(0, 10);
  const NetworkInputs inputs = FitNetworkInputs({&data, rows}, {});
  ASSERT_EQ(inputs.TableRows(0), 21u);
  const size_t width = inputs.table_width[0];
  std::vector<float> tables(21 * width, 99.0f);
  for (size_t e = 0; e < width; ++e) {
    tables[e] = 1;
    tables[width + e] = 2;
    tables[2 * width + e] = 5;
  }
  FillUnseenLevels(inputs, NetworkRows(inputs, {&data, rows}, 0, 1), tables);
  for (size_t level = 0; level < 21; ++level)
    EXPECT_FLOAT_EQ(tables[level * width], level == 0 ? 1 : level == 1 ? 2 : level == 2 ? 5 : 2) << level;  // (3·1 + 6·2 + 5) / 10 = 2
}

TEST(NetworkData, ScalesByMedianAndQuartiles) {
  std::vector<double> values;
  for (int i = 0; i <= 100; ++i) values.insert(values.end(), {static_cast<double>(i), i == 0 ? std::nan("") : 7.0});
  const Dataset data({false, false}, {0, 0}, values, std::vector<double>(101), {}, 0);
  const std::vector<uint32_t> rows = Range(0, 101);
  const NetworkInputs inputs = FitNetworkInputs({&data, rows}, {.number_width = 4, .pieces = 10});
  EXPECT_EQ(inputs.centre, (std::vector<double>{50, 7}));
  EXPECT_EQ(inputs.scale, (std::vector<double>{50, 1}));
  EXPECT_EQ(inputs.knots, (std::vector<double>{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}));
  EXPECT_EQ(inputs.table_width, (std::vector<uint32_t>{4, 0}));
  EXPECT_EQ(inputs.indicator, (std::vector<uint8_t>{0, 1}));
}

}  // namespace
}  // namespace everlearn
