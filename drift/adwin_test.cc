// ADWIN: its window on steady and changed data, its mean, and how often it is wrong.
#include "drift/adwin.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(Adwin, KeepsTheWholeOfASteadyStreamAndItsMean) {
  Random random(1);
  Adwin adwin;
  double sum = 0;
  for (int i = 0; i < 4000; ++i) {
    const double value = random.Uniform();
    sum += value;
    adwin.Add(value);
  }
  EXPECT_EQ(adwin.width(), 4000u);
  EXPECT_NEAR(adwin.mean(), sum / 4000, 1e-12);
}

// Theorem 3.1 of the paper: an abrupt change is noticed, and the window shrinks to about the rows after it.
TEST(Adwin, ForgetsWhatWasBeforeAnAbruptChange) {
  for (int run = 0; run < 20; ++run) {
    Random random = Random::Derive(2, run);
    Adwin adwin;
    for (int i = 0; i < 3000; ++i) adwin.Add(random.Uniform() < 0.2 ? 1 : 0);
    int noticed = 0;
    for (int i = 1; i <= 1000; ++i)
      if (adwin.Add(random.Uniform() < 0.5 ? 1 : 0) && noticed == 0) noticed = i;
    EXPECT_GT(noticed, 0);
    EXPECT_LE(noticed, 200);
    EXPECT_LE(adwin.width(), 1200u);
    EXPECT_NEAR(adwin.mean(), 0.5, 0.08);
  }
}

TEST(Adwin, SaysWhetherTheMeanRose) {
  Adwin adwin;
  bool rose = false, fell = false;
  for (int i = 0; i < 1000; ++i) rose |= adwin.AddAndRose(i % 4 == 0 ? 1 : 0);
  EXPECT_FALSE(rose);
  for (int i = 0; i < 500; ++i) rose |= adwin.AddAndRose(i % 4 == 0 ? 0 : 1);
  EXPECT_TRUE(rose);
  for (int i = 0; i < 2000; ++i) fell |= adwin.AddAndRose(i % 4 == 0 ? 1 : 0);
  EXPECT_FALSE(fell);
  EXPECT_NEAR(adwin.mean(), 0.25, 0.02);
}

// The paper promises a wrong alarm at a look with a probability of at most delta; its bound is far from tight.
TEST(Adwin, IsSeldomWrong) {
  int alarms = 0;
  for (int run = 0; run < 20; ++run) {
    Random random = Random::Derive(3, run);
    Adwin adwin;
    for (int i = 0; i < 20000; ++i) alarms += adwin.Add(random.Uniform() < 0.3 ? 1 : 0) ? 1 : 0;
  }
  EXPECT_EQ(alarms, 0);
}

}  // namespace
}  // namespace everlearn
