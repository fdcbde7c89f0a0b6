// The forest of Mondrian trees: its snapshot predicts what it predicts, it follows a change, and it keeps to its nodes.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learner/learner.h"
#include "learners/online_test_support.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes, const std::vector<bool>& is_category,
                                   const std::map<std::string, std::string>& settings = {}) {
  return StartOnline("mondrian_forest", classes, is_category, settings, 1);
}

TEST(MondrianForest, TheSnapshotPredictsTheSame) {
  for (const size_t classes : {0, 2, 3}) {
    const auto model = Start(classes, {false, true, false}, {{"nodes", "60"}});  // trees begin anew several times
    Random random(4);
    const auto draw = [&](double* row) {
      row[0] = 1e6 + random.Normal();
      row[1] = random.Uniform() < 0.1 ? kMissing : static_cast<double>(random.Below(50));
      row[2] = random.Uniform() < 0.1 ? kMissing : random.Uniform();
    };
    double row[3];
    for (int i = 0; i < 1500; ++i) {
      draw(row);
      const double category = std::isnan(row[1]) ? 0 : row[1];
      model->Learn(row, classes == 0 ? row[0] + category : static_cast<double>(static_cast<size_t>(category) % classes), 1);
    }
    const auto snapshot = model->Snapshot();
    for (int i = 0; i < 500; ++i) {
      draw(row);
      if (i % 10 == 0) row[1] = 70;  // never learnt
      double online[3], frozen[3];
      model->Predict(row, online);
      snapshot->PredictRow(row, frozen);
      for (size_t k = 0; k < std::max<size_t>(classes, 1); ++k)
        ASSERT_NEAR(online[k], frozen[k], 1e-12 * std::max(1.0, std::abs(online[k])));
    }
  }
}

// The newest rows, which the rates of splits follow from, are fewer where they are wide.
TEST(MondrianForest, WideRowsAreKeptWithinItsMemory) {
  constexpr size_t kFeatures = 2000;
  const auto model = Start(0, std::vector<bool>(kFeatures, false), {{"nodes", "16"}, {"trees", "1"}});
  Random random(6);
  std::vector<double> row(kFeatures);
  size_t largest = 0;
  for (int i = 0; i < 999; ++i) {
    for (double& x : row) x = random.Uniform();
    model->Learn(row.data(), row[0], 1);
    if (i % 100 == 98) largest = std::max(largest, model->State().size());
  }
  EXPECT_LE(largest, size_t{5} << 20);
}

TEST(MondrianForest, FollowsAChangeOfConcept) {
  const auto model = Start(2, {false, false});
  Random random(2);
  int right = 0;
  for (int i = 0; i < 9000; ++i) {
    const double row[2] = {random.Normal(), random.Normal()};
    const double target = (row[0] + row[1] > 0) == (i < 5000);
    double p[2];
    model->Predict(row, p);
    if (i >= 8000) right += (p[1] > 0.5) == (target > 0.5);
    model->Learn(row, target, 1);
  }
  EXPECT_GT(right / 1000.0, 0.85);
}

TEST(MondrianForest, OneTreeThatBeginsAnewStillPredicts) {
  const auto model = Start(2, {false}, {{"trees", "1"}, {"nodes", "16"}});
  Random random(3);
  for (int i = 0; i < 500; ++i) {
    const double x = random.Normal();
    double p[2];
    model->Predict(&x, p);
    ASSERT_NEAR(p[0] + p[1], 1, 1e-9);
    model->Learn(&x, static_cast<double>(random.Below(2)), 1);
  }
  EXPECT_LT(model->State().size(), 30000u);
}

TEST(MondrianForest, RefusesAStateThatIsNotItsOwn) {
  const LearnerInfo& info = Learners().Get("mondrian_forest");
  const ParameterValues parameters(info.parameters);
  const auto model = Start(2, {false, true});
  for (int i = 0; i < 3; ++i) {
    const double row[2] = {1.0 * i, 2};
    model->Learn(row, i % 2, 1);
  }
  const std::string state = model->State();
  EXPECT_NO_THROW(info.resume({{false, true}, 2}, parameters, state));
  EXPECT_THROW(info.resume({{false, true}, 3}, parameters, state), Error);
  EXPECT_THROW(info.resume({{false}, 2}, parameters, state), Error);
  for (size_t size = 0; size < state.size(); size += 7)
    EXPECT_THROW(info.resume({{false, true}, 2}, parameters, state.substr(0, size)), Error);
}

}  // namespace
}  // namespace everlearn
