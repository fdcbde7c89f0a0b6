// Symmetric boosting: equal to CatBoost on a stored case, leaf values against closed forms, and what its options promise.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/random.h"
#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr char kName[] = "symmetric_boosting";
using Settings = std::map<std::string, std::string>;

// No chance in it, and all rounds alike.
Settings Plain(const Settings& more) {
  Settings settings{{"random_strength", "0"},   {"subsample", "1"},      {"combinations", "0"}, {"integers_as_categories", "false"},
                    {"one_hot_max_size", "10"}, {"learning_rate", "0.3"}};
  for (const auto& [name, value] : more) settings[name] = value;
  return settings;
}

// CatBoost 1.2.10 (Python) on MakeTreeTestData(500, 0), the category as text:
//   CatBoostRegressor(depth=4, learning_rate=0.3, l2_leaf_reg=3, bootstrap_type="No", random_strength=0, one_hot_max_size=10,
//                     leaf_estimation_iterations=1, leaf_estimation_method="Gradient", score_function="Cosine", border_count=254)
TEST(SymmetricBoosting, EqualsCatBoostOnAStoredCase) {
  const std::map<std::string, std::vector<double>> stored{{"1", {37.78558, 45.28786, 43.18973, 44.75273, 37.78558}},
                                                          {"3", {29.37721, 51.46076, 42.40158, 44.2629, 33.35744}},
                                                          {"20",
                                                           {12.25874, 54.28222, 35.47998, 47.91968, 23.72072, 72.13427, 19.23269, 41.81435,
                                                            71.49936, 31.67484, 63.94477, 11.86552, 55.21017, 35.16552}}};
  const auto data = MakeTreeTestData(500, 0);
  for (const auto& [rounds, expected] : stored) {
    const auto model = FitWith(kName, *data, AllRows(*data), Plain({{"rounds", rounds}, {"depth", "4"}}));
    const auto predictions = PredictAll(*model, *data);
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(predictions[i], expected[i], 2e-4) << rounds << " rounds, row " << i;
  }
}

// Rows by what they are predicted: the leaves of a single tree.
std::map<double, std::vector<size_t>> Leaves(const std::vector<double>& predictions, size_t outputs, size_t output) {
  std::map<double, std::vector<size_t>> leaves;
  for (size_t i = output; i < predictions.size(); i += outputs) leaves[predictions[i]].push_back(i / outputs);
  return leaves;
}

TEST(SymmetricBoosting, LeafValuesOfSquaredErrorAreShrunkenMeans) {
  std::vector<double> weights(500);
  for (size_t i = 0; i < 500; ++i) weights[i] = 1 + static_cast<double>(i % 3);
  const auto data = MakeTreeTestData(500, 0, weights);
  const auto model = FitWith(kName, *data, AllRows(*data), Plain({{"rounds", "1"}, {"depth", "3"}, {"learning_rate", "1"}, {"l2", "5"}}));
  double sum = 0, weight = 0;
  for (size_t i = 0; i < 500; ++i) {
    sum += weights[i] * data->target()[i];
    weight += weights[i];
  }
  const double mean = sum / weight, unit = weight / 500;  // weights count relative to their mean
  const auto leaves = Leaves(PredictAll(*model, *data), 1, 0);
  EXPECT_GT(leaves.size(), 4u);
  for (const auto& [value, rows] : leaves) {
    double residuals = 0, rows_weight = 0;
    for (const size_t i : rows) {
      residuals += weights[i] / unit * (data->target()[i] - mean);
      rows_weight += weights[i] / unit;
    }
    EXPECT_NEAR(value, mean + residuals / (rows_weight + 5), 1e-4);
  }
}

TEST(SymmetricBoosting, LeafValuesOfLogLossAreNewtonSteps) {
  const auto data = MakeTreeTestData(500, 2);
  const auto model = FitWith(kName, *data, AllRows(*data), Plain({{"rounds", "1"}, {"depth", "2"}, {"learning_rate", "1"}}));
  double positive = 0;
  for (const double y : data->target()) positive += y;
  const double start = std::log((positive + 0.5) / (500 - positive + 0.5)), p = 1 / (1 + std::exp(-start));
  for (const auto& [value, rows] : Leaves(PredictAll(*model, *data), 2, 1)) {
    double gradient = 0;
    for (const size_t i : rows) gradient += data->target()[i] - p;
    const double score = start + gradient / (static_cast<double>(rows.size()) * p * (1 - p) + 3);
    EXPECT_NEAR(value, 1 / (1 + std::exp(-score)), 1e-5);
  }
}

// Two columns of 300 categories each: their effects are random, and so is that of each pair where `pairs`.
std::unique_ptr<Dataset> Categories(size_t rows, size_t sizes, bool pairs, bool as_integers, uint64_t seed) {
  Random random(seed);
  std::vector<double> values, target;
  const auto effect = [](uint64_t key) { return Random(key).Normal(); };
  for (size_t i = 0; i < rows; ++i) {
    const uint64_t a = random.Below(sizes), b = random.Below(sizes);
    // The integers are in an order that says nothing.
    const auto name = [&](uint64_t code) {
      return as_integers ? static_cast<double>(MixBits(code) % 1'000'003) : static_cast<double>(code);
    };
    values.insert(values.end(), {name(a), name(b), random.Normal()});
    const double score = pairs ? 2 * effect(a * 1000 + b) : effect(a) + effect(1'000'000 + b);
    target.push_back(random.Uniform() < 1 / (1 + std::exp(-2 * score)) ? 1 : 0);
  }
  return std::make_unique<Dataset>(std::vector<bool>{!as_integers, !as_integers, false},
                                   std::vector<size_t>{as_integers ? 0 : sizes, as_integers ? 0 : sizes, 0}, values, target,
                                   std::vector<double>{}, 2);
}

TEST(SymmetricBoosting, StatisticsFindTheEffectsOfManyCategories) {
  const auto train = Categories(6000, 300, false, false, 1), test = Categories(6000, 300, false, false, 2);
  const auto model = FitWith(kName, *train, AllRows(*train), {{"rounds", "200"}});
  // The sum over both classes: 0.5 for the shares, about 0.28 for the truth.
  EXPECT_LT(MeanSquaredError(PredictAll(*model, *test), *test), 0.36);
}

TEST(SymmetricBoosting, IntegersThatAreCodesAreSeenAsCategories) {
  const auto train = Categories(6000, 300, false, true, 1), test = Categories(6000, 300, false, true, 2);
  const auto with = FitWith(kName, *train, AllRows(*train), {{"rounds", "200"}});
  const auto without = FitWith(kName, *train, AllRows(*train), {{"rounds", "200"}, {"integers_as_categories", "false"}});
  EXPECT_LT(MeanSquaredError(PredictAll(*with, *test), *test), MeanSquaredError(PredictAll(*without, *test), *test) - 0.02);
}

TEST(SymmetricBoosting, CombinationsFindTheEffectsOfPairs) {
  const auto train = Categories(6000, 15, true, false, 1), test = Categories(6000, 15, true, false, 2);
  const auto with = FitWith(kName, *train, AllRows(*train), {{"rounds", "200"}});
  const auto without = FitWith(kName, *train, AllRows(*train), {{"rounds", "200"}, {"combinations", "0"}});
  EXPECT_LT(MeanSquaredError(PredictAll(*with, *test), *test), MeanSquaredError(PredictAll(*without, *test), *test) - 0.02);
}

TEST(SymmetricBoosting, UnseenCategoriesAreAverage) {
  const auto train = Categories(6000, 300, false, false, 1);
  const auto model = FitWith(kName, *train, AllRows(*train), {{"rounds", "100"}});
  const double rows[] = {1e6, 1e6, 0, 300, 300, 0, kMissing, kMissing, 0};
  double out[6];
  model->Predict({rows, 3, 3}, out);
  for (const size_t i : {1, 3, 5}) EXPECT_NEAR(out[i], 0.5, 0.2);
}

double LogLoss(const Model& model, const Dataset& data, const std::vector<uint32_t>& rows) {
  double loss = 0;
  std::vector<double> out(2);
  for (const uint32_t row : rows) {
    model.PredictRow(data.row(row), out.data());
    loss -= std::log(out[static_cast<size_t>(data.target()[row])]);
  }
  return loss / static_cast<double>(rows.size());
}

TEST(SymmetricBoosting, ValidationRowsEndItAtTheBestRound) {
  const auto data = Categories(3000, 100, false, false, 4);
  std::vector<uint32_t> train, held;
  for (uint32_t i = 0; i < 3000; ++i) (i % 4 == 0 ? held : train).push_back(i);
  const Settings settings{{"learning_rate", "0.3"}, {"combinations", "0"}, {"patience", "15"}};
  Settings all = settings;
  all["rounds"] = "300";
  FitOptions options;
  options.validation = held;
  const double best = LogLoss(*FitWith(kName, *data, train, all, options), *data, held);
  for (const char* rounds : {"1", "5", "10", "20", "40"}) {
    Settings some = settings;
    some["rounds"] = rounds;
    EXPECT_LE(best, LogLoss(*FitWith(kName, *data, train, some), *data, held) + 1e-6) << rounds;
  }
  EXPECT_LT(best, LogLoss(*FitWith(kName, *data, train, all), *data, held));
}

TEST(SymmetricBoosting, StopsBetweenRounds) {
  const auto data = MakeTreeTestData(500, 2);
  const auto rows = AllRows(*data);
  int asked = 0;
  const Settings settings = Plain({{"rounds", "50"}});
  const auto stopped = FitWith(kName, *data, rows, settings, {.stop = [&] { return ++asked == 3; }});
  EXPECT_EQ(PredictAll(*stopped, *data), PredictAll(*FitWith(kName, *data, rows, Plain({{"rounds", "3"}})), *data));
}

TEST(SymmetricBoosting, MonotoneFeaturesAreObeyed) {
  Random random(8);
  std::vector<double> values, target;
  for (size_t i = 0; i < 2000; ++i) {
    const double a = random.Uniform(), b = random.Uniform(), c = random.Uniform();
    values.insert(values.end(), {a, b, c});
    target.push_back(std::sin(9 * a) + a - std::cos(7 * b) - b + c * a + 0.3 * random.Normal());
  }
  for (const size_t classes : {0, 2}) {
    std::vector<double> y = target;
    if (classes == 2)
      for (double& value : y) value = value > 0;
    const Dataset data({false, false, false}, {0, 0, 0}, values, y, {}, classes);
    const std::vector<int8_t> monotone{1, -1, 0};
    FitOptions options;
    options.monotone = monotone;
    const auto model = FitWith(kName, data, AllRows(data), {{"rounds", "100"}}, options);
    const auto predict = [&](double a, double b, double c) {
      const double row[] = {a, b, c};
      double out[2] = {};
      model->PredictRow(row, out);
      return classes == 0 ? out[0] : out[1];
    };
    for (int trial = 0; trial < 2000; ++trial) {
      const double a = random.Uniform(), b = random.Uniform(), c = random.Uniform(), step = random.Uniform() * 0.2;
      EXPECT_LE(predict(a, b, c), predict(a + step, b, c) + 1e-12);
      EXPECT_GE(predict(a, b, c), predict(a, b + step, c) - 1e-12);
    }
  }
}

TEST(SymmetricBoosting, ManyClasses) {
  const auto data = MakeTreeTestData(900, 4);
  const auto rows = AllRows(*data);
  EXPECT_LT(MeanSquaredError(PredictAll(*FitWith(kName, *data, rows, {{"rounds", "100"}}), *data), *data), 0.3);
  // More outputs than the grower takes: a random projection of their gradients.
  Random random(3);
  std::vector<double> values, target;
  for (size_t i = 0; i < 3000; ++i) {
    const double a = random.Uniform() * 5, b = random.Uniform() * 5;
    values.insert(values.end(), {a, b});
    target.push_back(std::floor(a) * 5 + std::floor(b));
  }
  const Dataset many({false, false}, {0, 0}, values, target, {}, 25);
  EXPECT_LT(MeanSquaredError(PredictAll(*FitWith(kName, many, AllRows(many), {{"rounds", "100"}}), many), many), 0.1);
}

}  // namespace
}  // namespace everlearn
