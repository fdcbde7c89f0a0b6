// The adaptive tree where a part of the concept changes: it relearns that part, keeps the other, and is stored with what it is about to
// try.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learner/learner.h"
#include "learners/online_test_support.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(const std::string& name) {
  const LearnerInfo& info = Learners().Get(name);
  return info.start({{false, false}, 2}, ParameterValues(info.parameters), 1);
}

// Above 0.5 in the first column the class is that of the second; below it too, but turned round once it has changed.
double ErrorRate(OnlineModel* model, Random* random, bool changed, int rows) {
  double wrong = 0, said[2];
  for (int i = 0; i < rows; ++i) {
    const double row[2] = {random->Uniform(), random->Uniform()};
    const bool target = (row[1] > 0.3) != (changed && row[0] < 0.5);
    model->Predict(row, said);
    wrong += (said[1] > 0.5) != target ? 1 : 0;
    model->Learn(row, target ? 1 : 0, 1);
  }
  return wrong / rows;
}

TEST(HoeffdingAdaptiveTree, RelearnsThePartThatChanged) {
  Random random(1), same(1);
  const auto adaptive = Start("hoeffding_adaptive_tree"), plain = Start("hoeffding_tree");
  ErrorRate(adaptive.get(), &random, false, 20000), ErrorRate(plain.get(), &same, false, 20000);
  ErrorRate(adaptive.get(), &random, true, 5000), ErrorRate(plain.get(), &same, true, 5000);
  const double adapted = ErrorRate(adaptive.get(), &random, true, 5000);
  EXPECT_LT(adapted, 0.1);
  EXPECT_LT(adapted, ErrorRate(plain.get(), &same, true, 5000));
}

// Detectors of the nodes are a third of it.
TEST(HoeffdingAdaptiveTree, StopsAtItsMemoryWithItsDetectors) {
  const auto model = StartOnline("hoeffding_adaptive_tree", 0, {false, false}, {{"memory", "1"}, {"grace", "50"}}, 1);
  Random random(3);
  for (int i = 0; i < 100'000; ++i) {
    const double row[2] = {random.Uniform(), random.Uniform()};
    model->Learn(row, std::sin(30 * row[0]) + row[1], 1);
  }
  const size_t bytes = model->State().size();
  EXPECT_LE(bytes, size_t{1} << 20);
  EXPECT_GE(bytes, size_t{1} << 18);
}

// While subtrees wait for their turn, and after they took it.
TEST(HoeffdingAdaptiveTree, GoesOnBitForBitWhileSubtreesWait) {
  const LearnerInfo& info = Learners().Get("hoeffding_adaptive_tree");
  Random random(2), same(2);
  const auto whole = Start("hoeffding_adaptive_tree");
  auto parts = Start("hoeffding_adaptive_tree");
  for (int i = 0; i < 40; ++i) {
    ErrorRate(whole.get(), &random, i / 10 % 2 == 1, 500);
    ErrorRate(parts.get(), &same, i / 10 % 2 == 1, 500);
    parts = info.resume({{false, false}, 2}, ParameterValues(info.parameters), parts->State());
    ASSERT_EQ(whole->State(), parts->State()) << i;
  }
}

}  // namespace
}  // namespace everlearn
