// Random forest: leaves hold class shares, probabilities sum to one, seeds and threads, little data.
#include <gtest/gtest.h>

#include <cmath>

#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr char kName[] = "random_forest";

// A feature with two values, one tree of two leaves on nearly all rows: the shares in its leaves are known in closed form.
TEST(RandomForest, LeavesAreClassShares) {
  for (const size_t classes : {2, 3}) {
    std::vector<double> values, target;
    for (size_t i = 0; i < 4000; ++i) {
      const double x = i % 2 == 0 ? 0 : 1;
      values.push_back(x);
      const size_t turn = i / 2 % 10;  // class 1 has 2 of 10 rows where x = 0 and 9 of 10 where x = 1; class 2 has the last row of ten
      const bool positive = turn < (x == 0 ? 2 : 9);
      target.push_back(positive ? 1 : classes == 3 && turn == 9 ? 2 : 0);
    }
    const Dataset data({false}, {0}, values, target, {}, classes);
    const std::map<std::string, std::string> settings{{"trees", "20"}, {"bagging_fraction", "0.99"}, {"prior_rows", "0.01"}};
    const auto predictions = PredictAll(*FitWith(kName, data, AllRows(data), settings), data);
    EXPECT_NEAR(predictions[1], 0.2, 0.01);
    EXPECT_NEAR(predictions[classes + 1], 0.9, 0.01);
    if (classes == 3) {
      EXPECT_NEAR(predictions[2], 0.1, 0.01);
    }
  }
}

TEST(RandomForest, ProbabilitiesSumToOneAndBeatTheConstant) {
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(1000, classes);
    const auto rows = AllRows(*data);
    const auto predictions = PredictAll(*FitWith(kName, *data, rows), *data);
    const double constant = MeanSquaredError(PredictAll(*FitWith("constant", *data, rows), *data), *data);
    EXPECT_LT(MeanSquaredError(predictions, *data), 0.5 * constant) << classes;
    for (size_t i = 0; classes > 0 && i < data->rows(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < classes; ++k) {
        EXPECT_GT(predictions[i * classes + k], 0);
        sum += predictions[i * classes + k];
      }
      EXPECT_NEAR(sum, 1, 1e-12);
    }
  }
}

TEST(RandomForest, SeedDecidesAndThreadsDoNot) {
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(4000, classes);
    const auto rows = AllRows(*data);
    const auto one = PredictAll(*FitWith(kName, *data, rows, {{"trees", "5"}}, {.seed = 1, .threads = 1}), *data);
    EXPECT_EQ(one, PredictAll(*FitWith(kName, *data, rows, {{"trees", "5"}}, {.seed = 1, .threads = 2}), *data));
    EXPECT_NE(one, PredictAll(*FitWith(kName, *data, rows, {{"trees", "5"}}, {.seed = 2, .threads = 1}), *data));
  }
}

TEST(RandomForest, LittleDataAndAbsentClasses) {
  for (const size_t classes : {0, 1, 2, 4}) {
    const auto data = MakeTreeTestData(60, classes);
    for (const std::vector<uint32_t>& rows : {std::vector<uint32_t>{5}, {1, 3}, {1, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}) {
      const auto predictions = PredictAll(*FitWith(kName, *data, rows, {{"trees", "5"}}), *data);
      for (const double value : predictions) EXPECT_TRUE(std::isfinite(value));
    }
  }
}

TEST(RandomForest, UnevenWeightsGrowNoEmptyLeaves) {
  std::vector<double> weights(600);
  for (size_t i = 0; i < 600; ++i) weights[i] = i % 5 == 0 ? 0 : std::pow(10, static_cast<double>(i % 7) - 3);
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(600, classes, weights);
    for (const double value : PredictAll(*FitWith(kName, *data, AllRows(*data), {{"trees", "30"}}), *data))
      EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(RandomForest, UnsplittableDataGivesMeanAndShares) {
  std::vector<double> target(50);
  for (size_t i = 0; i < 50; ++i) target[i] = i < 20 ? 1 : 0;
  const Dataset classes({false}, {0}, std::vector<double>(50, 7), target, {}, 2);
  EXPECT_NEAR(PredictAll(*FitWith(kName, classes, AllRows(classes)), classes)[1], 20.5 / 51, 1e-12);
  const Dataset values({false}, {0}, std::vector<double>(50, 7), target, {}, 0);
  // The average of 100 means of 31 rows drawn out of 50: its standard error is 0.006.
  EXPECT_NEAR(PredictAll(*FitWith(kName, values, AllRows(values)), values)[0], 0.4, 0.02);
}

TEST(RandomForest, MonotoneFeaturesMoveThePredictionOneWay) {
  for (const size_t classes : {0, 2}) {
    const auto data = MakeTreeTestData(1000, classes);
    const std::vector<int8_t> signs{1, -1, 0};  // the second against the truth
    const auto model = FitWith(kName, *data, AllRows(*data), {{"trees", "30"}}, {.monotone = signs});
    size_t moved = 0;
    std::vector<double> low(data->outputs()), high(data->outputs());
    for (uint32_t i = 0; i < data->rows(); ++i) {
      for (size_t j = 0; j < 2; ++j) {
        for (const double step : {1.0, 9.0, 40.0}) {
          std::vector<double> row(data->row(i), data->row(i) + 3), other = row;
          if (std::isnan(row[j])) continue;
          other[j] += step;
          model->PredictRow(row.data(), low.data());
          model->PredictRow(other.data(), high.data());
          EXPECT_GE(signs[j] * (high.back() - low.back()), -1e-12) << "row " << i << " feature " << j;
          moved += signs[j] * (high.back() - low.back()) > 1e-6;
        }
      }
    }
    EXPECT_GT(moved, 500);
  }
}

}  // namespace
}  // namespace everlearn
