// The baseline that repeats: with few labels by what followed each, with very many in a state that does not grow with their square.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "learners/online_test_support.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes) { return StartOnline("no_change", classes, {}, {}, 1); }

std::vector<double> Said(const OnlineModel& model, size_t classes) {
  std::vector<double> out(classes);
  model.Predict(nullptr, out.data());
  return out;
}

TEST(NoChange, KnowsWhatFollowedALabel) {
  const auto model = Start(3);
  for (const double label : {0, 1, 0, 1, 0}) model->Learn(nullptr, label, 1);
  // After 0 came 1 twice. No label stayed in four pairs, so one of six is expected to: of the three that are added, half a one goes to the
  // last label and 1.25 to each of the others. The last one is held the most likely.
  const std::vector<double> said = Said(*model, 3);
  EXPECT_NEAR(said[1], 3.25 / 7.75, 1e-6);
  EXPECT_NEAR(said[2], 1.25 / 7.75, 1e-6);
  EXPECT_GT(said[0], said[1]);
  EXPECT_EQ(model->State().size(), 1 + 8 + 1 + 9 * 8u);
}

TEST(NoChange, ANewLabelIsExpectedToStayAsLongAsThoseBefore) {
  const auto model = Start(2);
  for (int i = 0; i < 99; ++i) model->Learn(nullptr, 0, 1);
  model->Learn(nullptr, 1, 1);  // 98 of 99 stayed
  EXPECT_NEAR(Said(*model, 2)[1], 99.0 / 101, 1e-12);
  const LearnerInfo& info = Learners().Get("no_change");
  const auto resumed = info.resume({{}, 2}, ParameterValues(info.parameters), model->State());
  EXPECT_EQ(Said(*resumed, 2), Said(*model, 2));
}

TEST(NoChange, OfVeryManyLabelsItKeepsHowOftenEachCame) {
  constexpr size_t kClasses = 10'000;
  const auto model = Start(kClasses);
  Random random(1);
  double label = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random.Uniform() > 0.7) label = static_cast<double>(random.Uniform() < 0.5 ? 5 : random.Below(kClasses));
    model->Learn(nullptr, label, 1);
  }
  const std::vector<double> said = Said(*model, kClasses);
  const auto last = static_cast<size_t>(label);
  EXPECT_EQ(static_cast<size_t>(std::max_element(said.begin(), said.end()) - said.begin()), last);
  EXPECT_NEAR(std::accumulate(said.begin(), said.end(), 0.0), 1, 1e-9);
  if (last != 5) {
    EXPECT_NEAR(said[last], 0.7 + 0.3 * 0.5 * 0.5, 0.1);
    EXPECT_GT(said[5], 1000 * said[last == 7 ? 8 : 7]);
  }
  const std::string state = model->State();
  EXPECT_LT(state.size(), 100'000u);
  const LearnerInfo& info = Learners().Get("no_change");
  const ParameterValues parameters(info.parameters);
  const auto resumed = info.resume({{}, kClasses}, parameters, state);
  EXPECT_EQ(resumed->State(), state);
  EXPECT_EQ(Said(*resumed, kClasses), said);
  EXPECT_THROW(info.resume({{}, kClasses - 1}, parameters, state), Error);
  std::string damaged = state;
  damaged.replace(damaged.size() - 8, 8, std::string(8, '\x7f'));  // more repetitions than outcomes
  EXPECT_THROW(info.resume({{}, kClasses}, parameters, damaged), Error);
}

}  // namespace
}  // namespace everlearn
