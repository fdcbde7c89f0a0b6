// Nearest neighbours against scikit-learn on stored cases; missing values, weights, the limit of stored rows.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr char kName[] = "nearest_neighbours";

// 160 rows to train on and 40 behind them; see nearest_neighbours_cases.py.
std::unique_ptr<Dataset> MakeData(size_t classes) {
  std::vector<double> values, target;
  for (size_t i = 0; i < 200; ++i) {
    const auto u = static_cast<double>(i);
    const double a = std::sin(1.7 * u) * 10 + 3, b = std::cos(2.3 * u), c = static_cast<double>((i * i + 2 * i) % 5);
    const double score = 0.2 * a + 2 * b + 1.5 * std::fmod(c, 2) + std::cos(3.1 * u);
    values.insert(values.end(), {a, b, c});
    target.push_back(classes == 0 ? score : (score >= -0.3) + (score >= 1.8));
  }
  return std::make_unique<Dataset>(std::vector<bool>{false, false, true}, std::vector<size_t>{0, 0, 5}, values, target,
                                   std::vector<double>{}, classes);
}

struct Case {
  size_t classes;
  const char* votes;
  std::vector<double> expected;  // of the rows 160, 171, 188, 199
};

// scikit-learn 1.9.1, from nearest_neighbours_cases.py.
const Case kCases[] = {
    {0, "equal", {0.6444825613, 1.89399495, -0.01553954113, -0.533871926}},
    {3,
     "equal",
     {0.1111111111, 0.8888888889, 0, 0, 0.5555555556, 0.4444444444, 0.4444444444, 0.5555555556, 0, 0.5555555556, 0.4444444444, 0}},
    {0, "by_distance", {0.7838482185, 2.353117016, 0.07677333916, -0.2163988459}},
    {3,
     "by_distance",
     {0.02814383846, 0.9718561615, 0, 0, 0.4112677084, 0.5887322916, 0.3994832743, 0.6005167257, 0, 0.4118001837, 0.5881998163, 0}},
};

TEST(NearestNeighbours, EqualsScikitLearn) {
  for (const Case& c : kCases) {
    const auto data = MakeData(c.classes);
    std::vector<uint32_t> train(160);
    std::iota(train.begin(), train.end(), 0u);
    const std::map<std::string, std::string> settings{{"neighbours", "9"}, {"votes", c.votes}, {"relevance", "0"}, {"prior_rows", "1e-6"}};
    const auto got = PredictAll(*FitWith(kName, *data, train, settings), *data);
    size_t at = 0;
    // Coordinates are single precision.
    for (const size_t row : {160, 171, 188, 199})
      for (size_t k = 0; k < data->outputs(); ++k) EXPECT_NEAR(got[row * data->outputs() + k], c.expected[at++], 2e-5) << c.votes << row;
  }
}

TEST(NearestNeighbours, ARowIsItsOwnNeighbour) {
  const auto data = MakeTreeTestData(500, 0);
  const auto got = PredictAll(*FitWith(kName, *data, AllRows(*data)), *data);
  for (size_t i = 0; i < data->rows(); ++i) EXPECT_NEAR(got[i], data->target()[i], 1e-9);
}

TEST(NearestNeighbours, MissingIsNearToMissing) {
  std::vector<double> values, target;
  for (size_t i = 0; i < 300; ++i) {
    values.push_back(i % 3 == 0 ? kMissing : static_cast<double>(i % 7));
    target.push_back(i % 3 == 0 ? 1 : 0);
  }
  const Dataset data({false}, {0}, values, target, {}, 2);
  const auto got = PredictAll(*FitWith(kName, data, AllRows(data)), data);
  for (size_t i = 0; i < 300; ++i) EXPECT_EQ(got[2 * i + 1] > 0.5, target[i] == 1);
}

TEST(NearestNeighbours, RelevanceTurnsFromNoise) {
  Random random(4);
  std::vector<double> values, target;
  for (size_t i = 0; i < 2000; ++i) {
    for (int j = 0; j < 8; ++j) values.push_back(random.Normal());
    target.push_back(values[i * 8] * 3);
  }
  const Dataset data(std::vector<bool>(8, false), std::vector<size_t>(8, 0), values, target, {}, 0);
  std::vector<uint32_t> train(1500);
  std::iota(train.begin(), train.end(), 0u);
  std::vector<double> errors;
  for (const char* relevance : {"0", "0.5", "1"}) {
    const auto got = PredictAll(*FitWith(kName, data, train, {{"relevance", relevance}}), data);
    double error = 0;
    for (size_t i = 1500; i < 2000; ++i) error += (got[i] - target[i]) * (got[i] - target[i]);
    errors.push_back(error);
  }
  EXPECT_LT(errors[1], 0.6 * errors[0]);
  EXPECT_LT(errors[2], 0.6 * errors[1]);
}

TEST(NearestNeighbours, StoresNoMoreRowsThanItMay) {
  const auto data = MakeTreeTestData(3000, 2);
  ArrayFileWriter few, all;
  FitWith(kName, *data, AllRows(*data), {{"rows", "100"}})->Save("", &few);
  FitWith(kName, *data, AllRows(*data))->Save("", &all);
  EXPECT_LT(few.Bytes().size() * 10, all.Bytes().size());
}

}  // namespace
}  // namespace everlearn
