// Boosting over a stream: the first tree by hand, outcomes that move their leaves, snapshots that predict the same, and states that are
// checked.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learner/learner.h"
#include "learners/online_test_support.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes, const std::vector<bool>& is_category,
                                   const std::map<std::string, std::string>& settings = {}) {
  return StartOnline("streaming_gradient_boosting", classes, is_category, settings, 1);
}

// After 16 rows, half of them 0 and half 1: the mean ½, and a leaf for each half. In deviations of ½, a half's errors sum to ±8, so that
// Newton's step is 8 / (8 + 1) of a deviation, of which a tenth is taken.
TEST(StreamingGradientBoosting, TheFirstTreeTakesNewtonsStep) {
  const auto model = Start(0, {false});
  double out;
  for (int i = 0; i < 16; ++i) {
    const double x = i % 2;
    model->Learn(&x, x, 1);
    model->Predict(&x, &out);
    if (i < 15) {
      EXPECT_NEAR(out, (i + 1) / 2 / (i + 1.0), 1e-12);  // the mean so far
    }
  }
  const double zero = 0, one = 1;
  model->Predict(&zero, &out);
  EXPECT_NEAR(out, 0.5 - 0.1 * 0.5 * 8 / 9, 1e-6);
  model->Predict(&one, &out);
  EXPECT_NEAR(out, 0.5 + 0.1 * 0.5 * 8 / 9, 1e-6);
}

TEST(StreamingGradientBoosting, LearnsAnInteraction) {
  const auto model = Start(2, {false, false, false});
  Random random(2);
  int right = 0;
  for (int i = 0; i < 4000; ++i) {
    const double row[3] = {random.Normal(), random.Normal(), random.Normal()};
    const double target = (row[0] > 0) != (row[1] > 0);
    double p[2];
    model->Predict(row, p);
    if (i >= 3000) right += (p[1] > 0.5) == (target > 0.5);
    model->Learn(row, target, 1);
  }
  EXPECT_GT(right / 1000.0, 0.9);
}

// The target is a level that jumps every 200 rows and that no feature knows: steps follow it, where they help.
TEST(StreamingGradientBoosting, OutcomesMoveTheLeavesWhereRowsAreLikeTheNext) {
  const auto error = [](bool jumps) {
    const auto model = Start(0, {false});
    Random random(3);
    double sum = 0, level = 0;
    for (int i = 0; i < 4000; ++i) {
      if (i % 200 == 0) level = random.Normal();
      const double x = random.Normal(), target = (jumps ? level : random.Normal()) + 0.1 * x;
      double out;
      model->Predict(&x, &out);
      if (i >= 2000) sum += (out - target) * (out - target) / 2000;
      model->Learn(&x, target, 1);
    }
    return sum;
  };
  EXPECT_LT(error(true), 0.1);
  EXPECT_LT(error(false), 1.15);  // noise of variance 1: nothing to follow
}

TEST(StreamingGradientBoosting, TheSnapshotPredictsTheSame) {
  for (const size_t classes : {0, 2, 3}) {
    const auto model = Start(classes, {false, true, false}, {{"trees", "20"}, {"window", "100"}, {"rows_a_tree", "7"}});
    Random random(4);
    const auto draw = [&](double* row) {
      row[0] = random.Normal();
      row[1] = random.Uniform() < 0.1 ? kMissing : static_cast<double>(random.Below(90));
      row[2] = random.Uniform() < 0.1 ? kMissing : random.Uniform();
    };
    double row[3];
    for (int i = 0; i < 777; ++i) {
      draw(row);
      const double category = std::isnan(row[1]) ? 0 : row[1];
      model->Learn(row, classes == 0 ? 3 * row[0] + category : static_cast<double>(static_cast<size_t>(category) % classes), 1);
    }
    const auto snapshot = model->Snapshot();
    for (int i = 0; i < 500; ++i) {
      draw(row);
      double online[3], frozen[3];
      model->Predict(row, online);
      snapshot->PredictRow(row, frozen);
      for (size_t k = 0; k < std::max<size_t>(classes, 1); ++k) ASSERT_NEAR(online[k], frozen[k], 1e-9) << "row " << i;
    }
  }
}

TEST(StreamingGradientBoosting, ADamagedStateIsRefusedOrHarmless) {
  const LearnerInfo& info = Learners().Get("streaming_gradient_boosting");
  ParameterValues parameters(info.parameters);
  parameters.Set("streaming_gradient_boosting", "trees", "2");
  parameters.Set("streaming_gradient_boosting", "depth", "2");
  const StreamShape shape{{false, true}, 3};
  const auto model = info.start(shape, parameters, 1);
  for (int i = 0; i < 30; ++i) {
    const double row[2] = {1.0 * i, i % 4 * 1.0};
    model->Learn(row, i % 3, 1);
  }
  const std::string state = model->State();
  EXPECT_THROW(info.resume({{false, true}, 2}, parameters, state), Error);
  EXPECT_THROW(info.resume({{true, true}, 3}, parameters, state), Error);
  for (size_t size = 0; size < state.size(); ++size) EXPECT_THROW(info.resume(shape, parameters, state.substr(0, size)), Error);
  for (size_t at = 0; at < state.size(); ++at) {
    std::string damaged = state;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    try {
      const auto resumed = info.resume(shape, parameters, damaged);
      const double row[2] = {1, 2};
      double p[3];
      resumed->Predict(row, p);
      resumed->Learn(row, 1, 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    }
  }
}

}  // namespace
}  // namespace everlearn
