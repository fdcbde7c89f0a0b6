// Lags against a plain reference, seasons, and that nothing leaks through delay.
#include "loop/lags.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/random.h"

namespace everlearn {
namespace {

std::vector<double> Values(const Lags& lags, uint64_t row, size_t classes) {
  std::vector<double> out(Lags::Count(classes));
  lags.Fill(row, out.data());
  return out;
}

// NaN equals NaN.
void ExpectSame(const std::vector<double>& a, const std::vector<double>& b, const std::string& where) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i])) ASSERT_TRUE(std::isnan(b[i])) << where << ", value " << i;
    else ASSERT_EQ(a[i], b[i]) << where << ", value " << i;
  }
}

std::vector<double> RandomTargets(size_t rows, size_t classes, uint64_t seed) {
  Random random(seed);
  std::vector<double> target;
  for (size_t i = 0; i < rows; ++i) target.push_back(classes == 0 ? random.Normal() : static_cast<double>(random.Below(classes)));
  return target;
}

ScheduleInput History(size_t rows, uint64_t delay_rows) {
  ScheduleInput history;
  history.rows = rows;
  history.delay_rows = delay_rows;
  history.has_outcome.assign(rows, true);
  return history;
}

std::vector<double> LagsOf(const ScheduleInput& history, const std::vector<double>& target, size_t classes) {
  std::vector<double> values(history.rows * Lags::Count(classes), 7.0);
  FillLags(history, target, classes, values);
  return values;
}

TEST(Lags, NumbersByHand) {
  Lags lags(0);
  const std::vector<double> none = Values(lags, 0, 0);
  for (const double value : none) EXPECT_TRUE(std::isnan(value));
  lags.OnOutcome(0, 1);
  lags.OnOutcome(1, 4);
  const std::vector<double> v = Values(lags, 3, 0);
  EXPECT_EQ(v[0], 4);
  EXPECT_EQ(v[1], 1);
  // Weights of a memory of 3: 1/3 for the newest, 2/9 for the one before, scaled to sum 1: 3/5 and 2/5.
  EXPECT_NEAR(v[2], 0.6 * 4 + 0.4 * 1, 1e-12);
  EXPECT_TRUE(std::isnan(v[5]));
  EXPECT_EQ(v[9], 2);
}

TEST(Lags, ClassesByHand) {
  Lags lags(3);
  for (const double truth : {0, 2, 2, 1, 1, 1}) lags.OnOutcome(static_cast<uint64_t>(0), truth);
  const std::vector<double> v = Values(lags, 1, 3);
  EXPECT_EQ(v[0], 1);
  EXPECT_EQ(v[1], 1);
  EXPECT_EQ(v[2], 1);
  EXPECT_EQ(v[3], 1);
  EXPECT_EQ(v[6], 3);
  const double keep = 19.0 / 20;
  EXPECT_NEAR(v[7], (1 - std::pow(keep, 3)) / (1 - std::pow(keep, 6)), 1e-12);
}

TEST(Lags, FindsDayAndWeek) {
  Lags lags(0);
  Random random(1);
  const auto load = [](uint64_t hour) { return std::sin(2 * M_PI * static_cast<double>(hour % 24) / 24) + (hour / 24 % 7 >= 5 ? -2 : 0); };
  for (uint64_t hour = 0; hour < 4096; ++hour) lags.OnOutcome(hour, load(hour) + 0.1 * random.Normal());
  EXPECT_EQ(lags.season(0), 24);
  EXPECT_EQ(lags.season(1), 168);
  EXPECT_NEAR(Values(lags, 4096, 0)[7], load(4096), 0.5);
  // Of a row whose outcome of a week ago is not yet known, the one of two weeks ago.
  EXPECT_NEAR(Values(lags, 4096 + 200, 0)[7], load(4096 + 200), 0.5);
}

// One among thousands, or among the first of all: it is the last outcome, and nothing else of it stays.
TEST(Lags, OneAbsurdOutcomeHidesNothing) {
  for (const uint64_t absurd : {5, 3000}) {
    Lags lags(0);
    Random random(7);
    const auto load = [](uint64_t hour) { return 10 + 3 * std::sin(2 * M_PI * static_cast<double>(hour % 24) / 24); };
    for (uint64_t hour = 0; hour < 6000; ++hour) {
      lags.OnOutcome(hour, hour == absurd ? 1e9 : load(hour) + 0.1 * random.Normal());
      const std::vector<double> v = Values(lags, hour + 1, 0);
      if (hour == absurd) {
        EXPECT_EQ(v[0], 1e9);
      }
      if (hour < absurd + 600) continue;
      ASSERT_EQ(lags.season(0), 24) << hour;
      ASSERT_NEAR(v[2], 10, 4) << hour;
      ASSERT_NEAR(v[3], 10, 2) << hour;
      ASSERT_NEAR(v[4], 10, 2) << hour;
      ASSERT_NEAR(v[5], load(hour + 1), 100) << hour;
    }
  }
}

// Whatever the outcomes become that were not yet released when a row was predicted, its lags are the same.
TEST(Lags, NothingLeaksThroughDelay) {
  constexpr size_t kRows = 1500;
  for (const size_t classes : {0, 3}) {
    for (const uint64_t delay : {0, 1, 40}) {
      const ScheduleInput history = History(kRows, delay);
      const std::vector<double> target = RandomTargets(kRows, classes, 1), other = RandomTargets(kRows, classes, 2);
      const std::vector<double> lags = LagsOf(history, target, classes);
      const size_t count = Lags::Count(classes);
      for (const size_t cut : {3, 500, 1100}) {
        std::vector<double> changed = target;
        for (size_t row = cut - std::min<size_t>(cut, delay); row < kRows; ++row) changed[row] = other[row];
        const std::vector<double> again = LagsOf(history, changed, classes);
        const auto part = [&](const std::vector<double>& all, size_t first, size_t end) {
          return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(first * count),
                                     all.begin() + static_cast<std::ptrdiff_t>(end * count));
        };
        ExpectSame(part(lags, 0, cut + 1), part(again, 0, cut + 1), "delay " + std::to_string(delay) + ", cut " + std::to_string(cut));
        size_t differ = 0;
        for (size_t i = (cut + 1) * count; i < lags.size(); ++i) differ += lags[i] != again[i] && !std::isnan(lags[i]);
        EXPECT_GT(differ, 100);
      }
    }
  }
}

TEST(Lags, SavedAndLoadedGoesOnEqually) {
  Lags first(4);
  const std::vector<double> target = RandomTargets(3000, 4, 5);
  for (uint64_t row = 0; row < 1000; ++row) first.OnOutcome(row, target[row]);
  ByteWriter out;
  first.Save(&out);
  Lags second(4);
  ByteReader in(out.bytes());
  second.Load(&in);
  for (uint64_t row = 1000; row < 3000; ++row) {
    ExpectSame(Values(first, row, 4), Values(second, row, 4), "row " + std::to_string(row));
    first.OnOutcome(row, target[row]);
    second.OnOutcome(row, target[row]);
  }
  Lags wrong(3);
  ByteReader again(out.bytes());
  EXPECT_THROW(wrong.Load(&again), Error);
}

}  // namespace
}  // namespace everlearn
