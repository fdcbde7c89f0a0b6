// Tests of means and standard errors over folds.
#include "evaluation/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace everlearn {
namespace {

TEST(Comparison, AveragesFolds) {
  // scipy.stats.sem([0.9, 0.7, 0.8, 1.0, 0.6]) is 0.07071067811865475.
  const Estimate estimate = MeanOverFolds(std::vector<double>{0.9, 0.7, 0.8, 1.0, 0.6});
  EXPECT_NEAR(estimate.value, 0.8, 1e-15);
  EXPECT_NEAR(estimate.standard_error, 0.07071067811865475, 1e-15);
}

TEST(Comparison, PairsFolds) {
  const Estimate estimate = PairedDifference(std::vector<double>{1, 2, 3}, std::vector<double>{0, 1.5, 1.5});
  EXPECT_NEAR(estimate.value, 1, 1e-15);
  EXPECT_NEAR(estimate.standard_error, 0.5 / std::sqrt(3.0), 1e-15);
}

TEST(Comparison, LeavesOutFoldsWithoutAValue) {
  const double nan = std::nan("");
  EXPECT_EQ(MeanOverFolds(std::vector<double>{nan, 3, 1}).value, 2);
  EXPECT_EQ(MeanOverFolds(std::vector<double>{nan, 3, 1}).standard_error, 1);
  EXPECT_EQ(PairedDifference(std::vector<double>{nan, 3, 1}, std::vector<double>{1, nan, 0.5}).value, 0.5);
  EXPECT_TRUE(std::isnan(MeanOverFolds(std::vector<double>{4}).standard_error));
  EXPECT_TRUE(std::isnan(MeanOverFolds({}).value));
}

}  // namespace
}  // namespace everlearn
