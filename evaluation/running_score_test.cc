// Tests of running scores: equal to the closed forms, and corrections leave what was there without the mistake.
#include "evaluation/running_score.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(RunningScore, RegressionEqualsTheClosedForms) {
  RunningScore score;
  const double predictions[] = {1, 2, 4, 4}, truths[] = {1, 3, 2, 5};
  for (int i = 0; i < 4; ++i) score.Add(&predictions[i], truths[i], 0);
  EXPECT_DOUBLE_EQ(score.Value("mae"), (0 + 1 + 2 + 1) / 4.0);
  EXPECT_DOUBLE_EQ(score.Value("rmse"), std::sqrt((0 + 1 + 4 + 1) / 4.0));
  const double mean = 11 / 4.0;
  const double spread = (1 - mean) * (1 - mean) + (3 - mean) * (3 - mean) + (2 - mean) * (2 - mean) + (5 - mean) * (5 - mean);
  EXPECT_DOUBLE_EQ(score.Value("r2"), 1 - 6 / spread);
}

// A mistyped outcome that is corrected leaves no trace, however absurd it was.
TEST(RunningScore, ACorrectionGivesWhatWasThereWithoutTheMistake) {
  for (const double typo : {100.0, 1e8, 1e10}) {
    Random random(3);
    RunningScore clean, corrected;
    double wrong = 0, right = 0;
    for (int i = 0; i < 600; ++i) {
      const double truth = 100 + 50 * random.Normal(), prediction = truth + 10 * random.Normal();
      clean.Add(&prediction, truth, 0);
      corrected.Add(&prediction, i == 300 ? typo : truth, 0);
      if (i == 300) wrong = prediction, right = truth;
    }
    corrected.Correct(&wrong, typo, right);
    EXPECT_NEAR(corrected.Value("mae"), clean.Value("mae"), 1e-9) << typo;
    EXPECT_NEAR(corrected.Value("rmse"), clean.Value("rmse"), 1e-9) << typo;
    EXPECT_NEAR(corrected.Value("r2"), clean.Value("r2"), typo < 1e9 ? 1e-5 : 0.05) << typo;
  }
}

TEST(RunningScore, ClassesAreCorrectedToo) {
  RunningScore clean(2), corrected(2);
  const double prediction[] = {0.3, 0.7};
  for (int i = 0; i < 10; ++i) {
    clean.Add(prediction, i % 2, 0);
    corrected.Add(prediction, i == 4 ? 1 : i % 2, 0);
  }
  corrected.Correct(prediction, 1, 0);
  for (const char* metric : {"accuracy", "kappa", "log_loss", "brier"})
    EXPECT_NEAR(corrected.Value(metric), clean.Value(metric), 1e-12) << metric;
}

}  // namespace
}  // namespace everlearn
