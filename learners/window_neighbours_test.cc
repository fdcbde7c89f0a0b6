// The neighbours of a window: equal to votes counted by hand, forget what left the window, shorten their memory after a change, keep their
// state to the bit, and their snapshot predicts what they predict.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learner/learner.h"
#include "learners/online_test_support.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes, const std::vector<bool>& is_category,
                                   const std::map<std::string, std::string>& settings = {}) {
  return StartOnline("window_neighbours", classes, is_category, settings, 0);
}

// One feature, so that its scale does not matter: votes 1/1, 1/2 and 1/4 of the values 10, 20 and 40.
TEST(WindowNeighbours, VotesAreInverseDistances) {
  const auto model = Start(0, {false}, {{"neighbours", "3"}});
  for (const double x : {1.0, -2.0, 4.0}) model->Learn(&x, x > 3 ? 40 : x > 0 ? 10 : 20, 1);
  const double zero = 0;
  double out;
  model->Predict(&zero, &out);
  EXPECT_NEAR(out, (10 + 20 / 2.0 + 40 / 4.0) / (1 + 0.5 + 0.25), 1e-5);
  const double known = -2;
  model->Predict(&known, &out);
  EXPECT_NEAR(out, 20, 1e-12);  // a row at distance 0 answers alone
}

TEST(WindowNeighbours, ClassSharesOfTheWindowAreThePrior) {
  const auto model = Start(2, {false}, {{"neighbours", "1"}, {"prior_rows", "3"}});
  for (const double x : {1.0, 2.0, 3.0}) model->Learn(&x, 1, 1);
  const double x = 2;
  double out[2];
  model->Predict(&x, out);
  EXPECT_NEAR(out[1], (1 + 3 * (3 + 1) / (3.0 + 2)) / (1 + 3), 1e-12);
}

TEST(WindowNeighbours, RowsThatLeftTheWindowAreForgotten) {
  const auto model = Start(0, {false}, {{"window", "16"}, {"neighbours", "1"}});
  const double near = 0, far = 100;
  model->Learn(&near, 1, 1);
  for (int i = 0; i < 15; ++i) model->Learn(&far, 7, 1);
  double out;
  model->Predict(&near, &out);
  EXPECT_EQ(out, 1);
  model->Learn(&far, 7, 1);
  model->Predict(&near, &out);
  EXPECT_EQ(out, 7);
}

TEST(WindowNeighbours, RelevantFeaturesWeighMore) {
  const auto error = [](const char* relevance) {
    const auto model = Start(2, std::vector<bool>(12, false), {{"relevance", relevance}});
    Random random(1);
    int wrong = 0;
    for (int i = 0; i < 4000; ++i) {
      double row[12], p[2];
      for (double& x : row) x = random.Normal();
      const double target = row[3] > 0;
      model->Predict(row, p);
      if (i >= 2000) wrong += (p[1] > 0.5) != (target > 0.5);
      model->Learn(row, target, 1);
    }
    return wrong / 2000.0;
  };
  EXPECT_LT(error("1"), 0.6 * error("0"));
}

TEST(WindowNeighbours, TheMemoryIsShortAfterAChange) {
  const auto model = Start(2, {false, false});
  Random random(2);
  int right = 0;
  for (int i = 0; i < 5000; ++i) {
    const double row[2] = {random.Normal(), random.Normal()};
    const double target = (row[0] + row[1] > 0) == (i < 4000);
    double p[2];
    model->Predict(row, p);
    if (i >= 4500) right += (p[1] > 0.5) == (target > 0.5);
    model->Learn(row, target, 1);
  }
  EXPECT_GT(right / 500.0, 0.9);
}

TEST(WindowNeighbours, TheSnapshotPredictsTheSame) {
  for (const size_t classes : {0, 2, 3}) {
    const auto model = Start(classes, {false, true, false}, {{"window", "100"}});
    Random random(4);
    std::vector<double> rows;
    for (int i = 0; i < 777; ++i) {
      const double row[3] = {random.Normal(), static_cast<double>(random.Below(5)), i % 7 == 0 ? kMissing : random.Uniform()};
      rows.insert(rows.end(), row, row + 3);
      model->Learn(row, classes == 0 ? row[0] * 3 + row[1] : static_cast<double>(static_cast<size_t>(row[1]) % classes), 1);
    }
    const auto snapshot = model->Snapshot();
    for (int i = 0; i < 777; ++i) {
      double online[3], frozen[3];
      model->Predict(&rows[i * 3], online);
      snapshot->PredictRow(&rows[i * 3], frozen);
      for (size_t k = 0; k < std::max<size_t>(classes, 1); ++k) ASSERT_EQ(online[k], frozen[k]) << "row " << i;
    }
  }
}

TEST(WindowNeighbours, RefusesAStateThatIsNotItsOwn) {
  const LearnerInfo& info = Learners().Get("window_neighbours");
  const ParameterValues parameters(info.parameters);
  const auto model = Start(2, {false, true});
  for (int i = 0; i < 3; ++i) {
    const double row[2] = {1.0 * i, 2};
    model->Learn(row, i % 2, 1);
  }
  const std::string state = model->State();
  EXPECT_NO_THROW(info.resume({{false, true}, 2}, parameters, state));
  EXPECT_THROW(info.resume({{false, true}, 1}, parameters, state), Error);
  EXPECT_THROW(info.resume({{false}, 2}, parameters, state), Error);
  for (size_t size = 0; size < state.size(); ++size)
    EXPECT_THROW(info.resume({{false, true}, 2}, parameters, state.substr(0, size)), Error);
  for (size_t at = 0; at < state.size(); ++at) {  // whatever one byte says, nothing outside of the arrays is read
    std::string damaged = state;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    try {
      const auto resumed = info.resume({{false, true}, 2}, parameters, damaged);
      const double row[2] = {1, 2};
      double p[2];
      resumed->Predict(row, p);
      resumed->Learn(row, 1, 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    }
  }
}

}  // namespace
}  // namespace everlearn
