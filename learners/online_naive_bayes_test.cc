// Naive Bayes row by row: without forgetting the log-odds of the batch learner but for one factor; with it, it turns round.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "learner/learner.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes, const std::vector<bool>& is_category, const char* forgetting) {
  const LearnerInfo& info = Learners().Get("online_naive_bayes");
  ParameterValues parameters(info.parameters);
  parameters.Set("online_naive_bayes", "forgetting", forgetting);
  return info.start({is_category, classes}, parameters, 0);
}

TEST(OnlineNaiveBayes, WithoutForgettingEqualsTheBatchLearnerButForTheTemperature) {
  const std::vector<bool> is_category{false, true, false};
  std::vector<double> values, target;
  Random random(1);
  for (int i = 0; i < 400; ++i) {
    target.push_back(static_cast<double>(random.Below(2)));
    const double category = random.Uniform() < 0.1 ? kMissing : static_cast<double>(random.Below(4));
    values.insert(values.end(), {random.Normal() * (1 + target.back()) + target.back(), category,
                                 random.Uniform() < 0.2 ? kMissing : random.Normal() + 0.3 * target.back()});
  }
  const auto online = Start(2, is_category, "0");
  for (size_t i = 0; i < target.size(); ++i) online->Learn(&values[i * 3], target[i], 1);
  const Dataset data(is_category, {0, 4, 0}, values, target, {}, 2);
  std::vector<uint32_t> all(target.size());
  std::iota(all.begin(), all.end(), 0u);
  const auto batch = FitLearner("naive_bayes", {&data, all}, ParameterValues(Learners().Get("naive_bayes").parameters), {});
  double factor = 0;
  for (size_t i = 0; i < target.size(); ++i) {
    double a[2], b[2];
    online->Predict(&values[i * 3], a);
    batch->PredictRow(&values[i * 3], b);
    const double ratio = std::log(a[1] / a[0]) / std::log(b[1] / b[0]);
    if (i == 0) factor = ratio;
    ASSERT_NEAR(ratio, factor, 1e-6) << "row " << i;
  }
  EXPECT_GT(factor, 0.2);
  EXPECT_LT(factor, 1.5);
}

TEST(OnlineNaiveBayes, TurnsRoundAfterAChangeOfConcept) {
  const auto accuracy = [](const char* forgetting) {
    const auto model = Start(3, {false, true}, forgetting);
    Random random(2);
    int right = 0;
    for (int i = 0; i < 12000; ++i) {
      const auto target = static_cast<double>(random.Below(3));
      const double moved = i < 8000 ? target : 2 - target;
      const double row[2] = {moved + 0.7 * random.Normal(), random.Uniform() < 0.7 ? moved : static_cast<double>(random.Below(3))};
      double p[3];
      model->Predict(row, p);
      if (i >= 10000) right += std::max_element(p, p + 3) - p == static_cast<ptrdiff_t>(target);
      model->Learn(row, target, 1);
    }
    return right / 2000.0;
  };
  EXPECT_GT(accuracy("0.002"), 0.8);
  EXPECT_LT(accuracy("0"), 0.5);
}

TEST(OnlineNaiveBayes, RemembersAllRowsWhereNothingChanges) {
  // A class of one row in fifty, told by a category of many values: what fades forgets most of them.
  const auto fading = Start(2, {true}, "0.02"), steady = Start(2, {true}, "0");
  Random random(4);
  for (int i = 0; i < 20000; ++i) {
    const auto category = static_cast<double>(random.Below(400));
    const double target = category < 8 ? 1 : 0;
    fading->Learn(&category, target, 1);
    steady->Learn(&category, target, 1);
  }
  for (double category = 0; category < 400; ++category) {
    double a[2], b[2];
    fading->Predict(&category, a);
    steady->Predict(&category, b);
    ASSERT_EQ(a[1], b[1]) << category;
    ASSERT_EQ(a[1] > 0.5, category < 8) << category;
  }
}

TEST(OnlineNaiveBayes, TheSnapshotPredictsTheSame) {
  const auto model = Start(3, {false, true}, "0.01");
  Random random(3);
  for (int i = 0; i < 5000; ++i) {  // enough for weights to be divided several times
    const double row[2] = {i % 5 == 0 ? kMissing : random.Normal(), i % 7 == 0 ? kMissing : static_cast<double>(random.Below(i / 100 + 1))};
    model->Learn(row, static_cast<double>(random.Below(3)), 1);
  }
  const auto snapshot = model->Snapshot();
  for (int i = 0; i < 300; ++i) {
    const double row[2] = {i % 5 == 0 ? kMissing : 3 * random.Normal(), i % 7 == 0 ? kMissing : static_cast<double>(random.Below(70))};
    double online[3], frozen[3];
    model->Predict(row, online);
    snapshot->PredictRow(row, frozen);
    for (size_t k = 0; k < 3; ++k) ASSERT_NEAR(online[k], frozen[k], 1e-12) << "row " << i;
  }
}

TEST(OnlineNaiveBayes, ACategoryBeyondAllPlacesIsPassedOver) {
  const auto model = Start(2, {true}, "0");
  for (int i = 0; i < 20; ++i) {
    const double known = i % 2, beyond = 1e18;
    model->Learn(&known, i % 2, 1);
    model->Learn(&beyond, 1, 1);
  }
  EXPECT_LT(model->State().size(), 1000u);
}

TEST(OnlineNaiveBayes, RefusesAStateThatIsNotItsOwn) {
  const LearnerInfo& info = Learners().Get("online_naive_bayes");
  const ParameterValues parameters(info.parameters);
  const auto model = Start(2, {false, true}, "0.001");
  const double row[2] = {1, 2};
  model->Learn(row, 1, 1);
  const std::string state = model->State();
  EXPECT_NO_THROW(info.resume({{false, true}, 2}, parameters, state));
  EXPECT_THROW(info.resume({{false, true}, 3}, parameters, state), Error);
  EXPECT_THROW(info.resume({{true, false}, 2}, parameters, state), Error);
  for (size_t size = 0; size < state.size(); ++size)
    EXPECT_THROW(info.resume({{false, true}, 2}, parameters, state.substr(0, size)), Error);
}

}  // namespace
}  // namespace everlearn
