// What every member that learns online promises: its state is bounded, however many classes, categories and rows there are.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learner/learner.h"

namespace everlearn {
namespace {

constexpr size_t kClasses = 500, kMostBytes = size_t{32} << 20;

class StateCap : public testing::TestWithParam<std::string> {};

TEST_P(StateCap, HoldsWithFiveHundredClassesAndManyCategories) {
  const LearnerInfo& info = Learners().Get(GetParam());
  const StreamShape shape{{false, false, false, false, true, true}, kClasses};
  const ParameterValues parameters(info.parameters);
  const auto model = info.start(shape, parameters, 1);
  Random random(2);
  std::vector<double> row(6), out(kClasses);
  for (int i = 0; i < 2500; ++i) {
    const auto label = static_cast<double>(i < 500 ? i : static_cast<int>(random.Below(kClasses)));
    for (size_t j = 0; j < 4; ++j) row[j] = (j == 0 ? label / 100 : 0) + random.Normal();
    row[4] = static_cast<double>(random.Below(5000));
    row[5] = random.Uniform() < 0.5 ? label : static_cast<double>(random.Below(kClasses));
    model->Predict(row.data(), out.data());
    model->Learn(row.data(), label, 1);
    if (i % 500 != 499) continue;
    const std::string state = model->State();
    ASSERT_LE(state.size(), kMostBytes) << "after " << i + 1 << " rows";
    if (i < 2000) continue;
    EXPECT_EQ(info.resume(shape, parameters, state)->State(), state);
  }
}

class StateCapOfValues : public testing::TestWithParam<std::string> {};

TEST_P(StateCapOfValues, HoldsWithManyCategories) {
  const LearnerInfo& info = Learners().Get(GetParam());
  const StreamShape shape{{false, false, false, false, true, true}, 0};
  const ParameterValues parameters(info.parameters);
  const auto model = info.start(shape, parameters, 1);
  Random random(3);
  std::vector<double> row(6);
  for (int i = 0; i < 4000; ++i) {
    for (size_t j = 0; j < 4; ++j) row[j] = random.Normal();
    row[4] = static_cast<double>(random.Below(5000));
    row[5] = static_cast<double>(random.Below(200));
    double out;
    model->Predict(row.data(), &out);
    model->Learn(row.data(), std::sin(3 * row[0]) + row[1] + row[5] / 100, 1);
    if (i % 1000 != 999) continue;
    const std::string state = model->State();
    ASSERT_LE(state.size(), kMostBytes) << "after " << i + 1 << " rows";
    if (i > 3000) {
      EXPECT_EQ(info.resume(shape, parameters, state)->State(), state);
    }
  }
}

std::vector<std::string> OnlineLearners(bool LearnerInfo::*of_kind) {
  std::vector<std::string> names;
  for (const std::string& name : Learners().Names())
    if (Learners().Get(name).online() && Learners().Get(name).*of_kind) names.push_back(name);
  return names;
}

const auto kName = [](const auto& name) { return name.param; };
INSTANTIATE_TEST_SUITE_P(Learners, StateCap, testing::ValuesIn(OnlineLearners(&LearnerInfo::multiclass)), kName);
INSTANTIATE_TEST_SUITE_P(Learners, StateCapOfValues, testing::ValuesIn(OnlineLearners(&LearnerInfo::regression)), kName);

}  // namespace
}  // namespace everlearn
