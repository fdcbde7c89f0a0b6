// Weights of classes: as named, and balanced by scikit-learn's rule.
#include "cli/class_weights.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace everlearn {
namespace {

Task MakeTask() {
  Task task;
  task.target = "y";
  task.kind = TaskKind::kMulticlass;
  task.labels = {"a", "b", "c=d"};
  return task;
}

const std::vector<double> kTarget = {0, 0, 0, 1, 2, 2};

TEST(ClassWeights, NamedOnesMultiplyTheRowsOfTheirClass) {
  const auto weights = TimesClassWeights({"b=4", "c=d=0.5"}, MakeTask(), kTarget, {1, 2, 3, 1, 2, 0});
  EXPECT_EQ(weights, (std::vector<double>{1, 2, 3, 4, 1, 0}));
  EXPECT_EQ(TimesClassWeights({"b=4"}, MakeTask(), kTarget, {}), (std::vector<double>{1, 1, 1, 4, 1, 1}));
  EXPECT_TRUE(TimesClassWeights({}, MakeTask(), kTarget, {}).empty());
}

TEST(ClassWeights, BalancedIsScikitLearns) {
  // compute_class_weight('balanced', classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2]) of scikit-learn 1.7: 6 / (3 · count).
  const auto weights = TimesClassWeights({"balanced"}, MakeTask(), kTarget, {});
  const std::vector<double> expected = {2.0 / 3, 2.0 / 3, 2.0 / 3, 2, 1, 1};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(weights[i], expected[i], 1e-12);
}

TEST(ClassWeights, BalancedCountsTheRowsByTheirWeights) {
  const auto weights = TimesClassWeights({"balanced"}, MakeTask(), kTarget, {1, 1, 1, 3, 1, 2});
  EXPECT_EQ(weights, (std::vector<double>{1, 1, 1, 3, 1, 2}));
}

TEST(ClassWeights, WhatIsNoneIsRefused) {
  for (const char* text : {"b", "b=0", "b=-1", "b=x", "b=nan", "b=inf", "b=1e7", "b=1e-30", "", "="})
    EXPECT_THROW(CheckClassWeights({text}), Error) << text;
  EXPECT_THROW(CheckClassWeights({"balanced", "b=2"}), Error);
  EXPECT_NO_THROW(CheckClassWeights({"balanced"}));
  EXPECT_THROW(TimesClassWeights({"e=2"}, MakeTask(), kTarget, {}), Error);
  EXPECT_THROW(TimesClassWeights({"b=2", "b=3"}, MakeTask(), kTarget, {}), Error);
  Task regression = MakeTask();
  regression.kind = TaskKind::kRegression;
  regression.labels.clear();
  EXPECT_THROW(TimesClassWeights({"balanced"}, regression, kTarget, {}), Error);
}

}  // namespace
}  // namespace everlearn
