// Stacking with the real linear learner: taken where an average cannot say what the members mean together, left where it can.
#include "search/stacking.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "model/constant.h"
#include "model/stack.h"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Problem {
  std::string metric;
  size_t classes = 0;
  std::vector<double> truth;
  std::vector<std::vector<double>> members;
  std::vector<Fold> folds;

  Stacking Try(const StackingOptions& options = {}) const {
    StackingData data{metric, truth, {}, classes, {}, folds};
    for (const auto& member : members) data.members.push_back(member);
    return TryStacking(data, options);
  }
};

// truth = a + b + noise; one member knows a, the other b.
Problem Parts(size_t rows) {
  Problem problem{"rmse", 0, {}, {{}, {}}, RandomFolds(rows, 5, 1)};
  Random random(1);
  for (size_t i = 0; i < rows; ++i) {
    const double a = random.Normal(), b = random.Normal();
    problem.truth.push_back(a + b + 0.1 * random.Normal());
    problem.members[0].push_back(a);
    problem.members[1].push_back(b);
  }
  return problem;
}

// Independent errors around the truth: their average is the best there is.
Problem Peers(size_t rows, uint64_t seed) {
  Problem problem{"rmse", 0, {}, {{}, {}}, RandomFolds(rows, 5, 1)};
  Random random(seed);
  for (size_t i = 0; i < rows; ++i) {
    problem.truth.push_back(5 * random.Normal());
    for (auto& member : problem.members) member.push_back(problem.truth.back() + random.Normal());
  }
  return problem;
}

// Two classes by the sum of two scores, of which each member states a third of one.
Problem Classes(size_t rows) {
  Problem problem{"log_loss", 2, {}, {{}, {}}, RandomFolds(rows, 5, 1)};
  Random random(3);
  for (size_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (auto& member : problem.members) {
      const double score = 2 * random.Normal(), p = 1 / (1 + std::exp(-score / 3));
      member.insert(member.end(), {1 - p, p});
      sum += score;
    }
    problem.truth.push_back(random.Uniform() < 1 / (1 + std::exp(-sum)) ? 1 : 0);
  }
  return problem;
}

TEST(Stacking, AddsWhatAnAverageCannot) {
  const Stacking stacking = Parts(3'000).Try();
  ASSERT_NE(stacking.top, nullptr);
  EXPECT_NEAR(stacking.value, 0.1, 0.01);
  EXPECT_NEAR(stacking.average_value, std::sqrt(0.5), 0.05);  // of (a + b) / 2
  ASSERT_EQ(stacking.predictions.size(), 3'000);
  const auto model = MakeStack({MakeConstantModel(1, {2}), MakeConstantModel(1, {3})}, stacking.top);
  double row = 0, out = 0;
  model->PredictRow(&row, &out);
  EXPECT_NEAR(out, 5, 0.1);
}

TEST(Stacking, AddsLogOdds) {
  const Problem problem = Classes(4'000);
  const Stacking stacking = problem.Try();
  ASSERT_NE(stacking.top, nullptr);
  EXPECT_LT(stacking.value, stacking.average_value - 0.1);
  // Members that state a third of the scores 3 and 0: the odds of class 1 are e³.
  const double p = 1 / (1 + std::exp(-1));
  const auto model = MakeStack({MakeConstantModel(1, {1 - p, p}), MakeConstantModel(1, {0.5, 0.5})}, stacking.top);
  double row = 0, out[2];
  model->PredictRow(&row, out);
  EXPECT_NEAR(std::log(out[1] / out[0]), 3, 0.4);
}

TEST(Stacking, LeavesWhatAnAverageDoesAsWell) {
  int taken = 0;
  for (uint64_t seed = 10; seed < 20; ++seed) taken += Peers(1'000, seed).Try().top != nullptr ? 1 : 0;
  EXPECT_LE(taken, 1);
}

TEST(Stacking, TriesOnlyWhatCanBeTried) {
  EXPECT_TRUE(std::isnan(Parts(100).Try().value));  // too few rows
  EXPECT_TRUE(std::isnan(Parts(3'000).Try({.max_units = 0}).value));
  EXPECT_TRUE(std::isnan(Parts(3'000).Try({.stop = [] { return true; }}).value));
  Problem one = Parts(3'000);
  one.members.pop_back();
  EXPECT_TRUE(std::isnan(one.Try().value));
}

TEST(Stacking, LeavesOutRowsWithoutPrediction) {
  Problem problem = Parts(3'000);
  for (size_t i = 0; i < 3'000; i += 3) problem.members[0][i] = kNaN;
  const Stacking stacking = problem.Try();
  ASSERT_NE(stacking.top, nullptr);
  EXPECT_TRUE(std::isnan(stacking.predictions[0]));
  EXPECT_FALSE(std::isnan(stacking.predictions[1]));
}

}  // namespace
}  // namespace everlearn
