// Extremely randomised trees: what their leaves hold, as good as scikit-learn's on the same data, seeds and threads, an early end.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr char kName[] = "extra_trees";

TEST(ExtraTrees, FullyGrownTreesLearnByHeart) {
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(500, classes);
    const auto got = PredictAll(*FitWith(kName, *data, AllRows(*data), {{"trees", "5"}, {"prior_rows", "0.01"}}), *data);
    for (size_t i = 0; i < data->rows(); ++i) {
      for (size_t k = 0; k < data->outputs(); ++k) {
        const double truth = classes == 0 ? data->target()[i] : data->target()[i] == static_cast<double>(k);
        EXPECT_NEAR(got[i * data->outputs() + k], truth, 0.01);
      }
    }
  }
}

// Friedman's first function (Multivariate adaptive regression splines, 1991), 1,000 rows to train and to test on, noise of deviation 1.
TEST(ExtraTrees, AsGoodAsScikitLearns) {
  Random random(11);
  std::vector<double> values, target;
  for (size_t i = 0; i < 2000; ++i) {
    double x[10];
    for (double& v : x) v = random.Uniform();
    values.insert(values.end(), x, x + 10);
    target.push_back(10 * std::sin(M_PI * x[0] * x[1]) + 20 * (x[2] - 0.5) * (x[2] - 0.5) + 10 * x[3] + 5 * x[4] + random.Normal());
  }
  const Dataset data(std::vector<bool>(10, false), std::vector<size_t>(10, 0), values, target, {}, 0);
  std::vector<uint32_t> train(1000);
  std::iota(train.begin(), train.end(), 0u);
  const auto got = PredictAll(*FitWith(kName, data, train, {{"feature_fraction", "1"}}), data);
  double error = 0;
  for (size_t i = 1000; i < 2000; ++i) error += (got[i] - target[i]) * (got[i] - target[i]) / 1000;
  // scikit-learn 1.9.1, ExtraTreesRegressor(100, max_features=1.0) on five draws of such data: mean squared error 3.24 to 3.68.
  EXPECT_LT(error, 3.8);
  EXPECT_GT(error, 2.8);
}

TEST(ExtraTrees, SeedDecidesAndThreadsDoNot) {
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(2000, classes);
    const auto rows = AllRows(*data);
    const std::map<std::string, std::string> drawn{{"trees", "20"}, {"bagging_fraction", "0.7"}};
    const auto one = PredictAll(*FitWith(kName, *data, rows, drawn, {.seed = 1, .threads = 1}), *data);
    EXPECT_EQ(one, PredictAll(*FitWith(kName, *data, rows, drawn, {.seed = 1, .threads = 2}), *data));
    EXPECT_NE(one, PredictAll(*FitWith(kName, *data, rows, drawn, {.seed = 2, .threads = 1}), *data));
  }
}

TEST(ExtraTrees, EndsEarlyWithTheTreesThereAre) {
  const auto data = MakeTreeTestData(500, 4);
  const auto stopped = FitWith(kName, *data, AllRows(*data), {{"trees", "1000"}}, {.stop = [] { return true; }});
  EXPECT_EQ(PredictAll(*stopped, *data), PredictAll(*FitWith(kName, *data, AllRows(*data), {{"trees", "8"}}), *data));
}

TEST(ExtraTrees, ZeroWeightsAreLeftOut) {
  std::vector<double> weights(400, 0.0);
  for (size_t i = 0; i < 400; i += 2) weights[i] = 2;
  const auto data = MakeTreeTestData(400, 3, weights), plain = MakeTreeTestData(400, 3);
  std::vector<uint32_t> even;
  for (uint32_t i = 0; i < 400; i += 2) even.push_back(i);
  EXPECT_EQ(PredictAll(*FitWith(kName, *data, AllRows(*data)), *data), PredictAll(*FitWith(kName, *plain, even), *plain));
}

}  // namespace
}  // namespace everlearn
