// Tests of the tracked quantile: its coverage holds when scores drift, jump and come late.
#include "statistics/quantile_tracker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

double Coverage(const QuantileTracker& tracker) { return static_cast<double>(tracker.covered()) / static_cast<double>(tracker.rows()); }

TEST(QuantileTracker, NothingIsAnnouncedBeforeEnoughIsKnown) {
  QuantileTracker tracker;
  for (int i = 0; i < 29; ++i) tracker.Add(i, NAN);
  EXPECT_TRUE(std::isnan(tracker.Get()));
  tracker.Add(29, NAN);
  EXPECT_EQ(tracker.Get(), 27);  // the 28th smallest of 30: ⌈31 · 0.9⌉
}

TEST(QuantileTracker, CoverageOfSteadyScores) {
  QuantileTracker tracker(0.8);
  Random random(1);
  for (int i = 0; i < 20'000; ++i) tracker.Add(std::abs(random.Normal()), tracker.Get());
  EXPECT_NEAR(Coverage(tracker), 0.8, 0.01);
  EXPECT_NEAR(tracker.Get(), 1.2816, 0.2);  // the 80% quantile of |N(0, 1)|
}

TEST(QuantileTracker, CoverageWhereScoresDriftJumpAndComeLate) {
  QuantileTracker tracker(0.9);
  Random random(2);
  std::deque<std::pair<double, double>> late;
  for (int i = 0; i < 30'000; ++i) {
    const double size = (i < 10'000 ? 1 : i < 20'000 ? 20 : 0.5) * (1 + 0.5 * std::sin(i / 500.0));
    late.emplace_back(size * std::abs(random.Normal()), tracker.Get());
    if (late.size() < 100) continue;
    tracker.Add(late.front().first, late.front().second);
    late.pop_front();
  }
  EXPECT_NEAR(Coverage(tracker), 0.9, 0.03);
}

// Scores grow tenfold while 2,000 outcomes are under way: the threshold must neither stay behind nor swing.
TEST(QuantileTracker, ManyLateOutcomesDoNotMakeItSwing) {
  QuantileTracker tracker(0.9);
  Random random(4);
  std::deque<std::pair<double, double>> late;
  double largest = 0;
  for (int i = 0; i < 60'000; ++i) {
    late.emplace_back((i < 20'000 ? 1 : 10) * std::abs(random.Normal()), tracker.Get());
    if (late.size() < 2000) continue;
    tracker.Add(late.front().first, late.front().second);
    late.pop_front();
    largest = std::max(largest, tracker.Get());
  }
  EXPECT_LT(largest, 40);  // scores beyond it are rarer than one in ten thousand
  EXPECT_NEAR(tracker.Get(), 16.4, 4);
  EXPECT_NEAR(Coverage(tracker), 0.9, 0.03);
}

TEST(QuantileTracker, OneAbsurdScoreDoesNotMakeItUseless) {
  QuantileTracker tracker(0.9);
  Random random(3);
  for (int i = 0; i < 5000; ++i) tracker.Add(i == 1000 ? 1e200 : std::abs(random.Normal()), tracker.Get());
  EXPECT_LT(tracker.Get(), 4);
  EXPECT_NEAR(Coverage(tracker), 0.9, 0.02);
}

// 1 … 99: nine in ten of further scores from there are at most the 90th.
TEST(QuantileTracker, BeginsWithTheConformalQuantileOfWhatIsKnown) {
  std::vector<double> scores;
  for (int i = 99; i >= 1; --i) scores.push_back(i);
  scores.push_back(std::numeric_limits<double>::quiet_NaN());
  scores.push_back(-1);
  QuantileTracker tracker(0.9);
  tracker.Begin({1, 2, 3});
  EXPECT_TRUE(std::isnan(tracker.Get())) << "three are too few";
  tracker.Begin(scores);
  EXPECT_EQ(tracker.Get(), 90);
  EXPECT_EQ(tracker.rows(), 0u);
}

TEST(QuantileTracker, SavesAndGoesOn) {
  QuantileTracker one, two;
  for (int i = 0; i < 500; ++i) one.Add(i % 17, one.Get());
  ByteWriter out;
  one.Save(&out);
  ByteReader in(out.bytes());
  two.Load(&in);
  for (int i = 0; i < 500; ++i) {
    one.Add(i % 13, one.Get());
    two.Add(i % 13, two.Get());
  }
  EXPECT_EQ(one.Get(), two.Get());
  EXPECT_EQ(one.covered(), two.covered());
}

}  // namespace
}  // namespace everlearn
