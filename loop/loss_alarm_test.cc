// Tests of the alarm on the served loss: how often it is false, how soon it is right, where it says the change began.
#include "loop/loss_alarm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(LossAlarm, IsSeldomFalse) {
  // 100 streams of 20,000 rows of skewed losses. The detector alone would give 20 alarms at most on average (one in 100,000 rows); the
  // reference is estimated, and twice its standard error too low in one stream of 44.
  int alarms = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    LossAlarm alarm;
    for (uint64_t i = 0; i < 20'000; ++i) {
      if (!alarm.Add(-std::log(1 - random.Uniform()), i, i, i)) continue;
      ++alarms;
      alarm.Reset();
    }
  }
  EXPECT_LE(alarms, 20);
}

TEST(LossAlarm, ARiseIsNoticedSoonAndItsBeginningIsFound) {
  constexpr uint64_t kChange = 6000;
  std::vector<double> delay, error, recent;
  for (uint64_t seed = 0; seed < 101; ++seed) {
    Random random(seed);
    LossAlarm alarm;
    uint64_t row = 0;
    const auto loss = [&] { return random.Uniform() < (row < kChange ? 0.15 : 0.35) ? 1.0 : 0.0; };
    while (!alarm.Add(loss(), row, row, row)) ASSERT_LT(++row, 20'000u);
    ASSERT_GT(row, kChange) << "seed " << seed;
    delay.push_back(static_cast<double>(row - kChange));
    error.push_back(std::abs(static_cast<double>(alarm.change_row()) - static_cast<double>(kChange)));
    recent.push_back(alarm.recent());
    EXPECT_NEAR(alarm.reference(), 0.15, 0.04);
  }
  for (auto* values : {&delay, &error, &recent}) std::sort(values->begin(), values->end());
  EXPECT_LT(delay.back(), 600);
  EXPECT_LT(error[50], 30);
  EXPECT_LT(error[90], 150);
  EXPECT_NEAR(recent[50], 0.35, 0.04);
}

TEST(LossAlarm, AFallIsNone) {
  Random random(1);
  LossAlarm alarm;
  for (uint64_t i = 0; i < 20'000; ++i) ASSERT_FALSE(alarm.Add(i < 5000 ? random.Uniform() : 0.3 * random.Uniform(), i, i, i));
}

// After a change the loss is high while the new is learnt; the next change is seen against what came after that.
TEST(LossAlarm, AfterAFallARiseToTheOldLevelIsNoticed) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    LossAlarm alarm;
    uint64_t found = 0;
    for (uint64_t row = 0; row < 14'000 && found == 0; ++row) {
      const double error_rate = row < 1500 ? 0.4 : row < 10'000 ? 0.1 : 0.3;
      if (alarm.Add(random.Uniform() < error_rate ? 1.0 : 0.0, row, row, row)) found = row;
    }
    EXPECT_GT(found, 10'000u) << "seed " << seed;
    EXPECT_LT(found, 10'600u) << "seed " << seed;
  }
}

// Rows that were predicted before the first of them had counted are one observation: a bad day of 500 rows is no rise.
TEST(LossAlarm, RowsOfABlockAreOneObservation) {
  Random random(2);
  LossAlarm alarm;
  uint64_t row = 0;
  for (int day = 0; day < 120; ++day) {
    const double mood = random.Uniform();  // of a day; all its outcomes come in the evening
    const uint64_t morning = row;
    for (int i = 0; i < 500; ++i, ++row) ASSERT_FALSE(alarm.Add(mood + 0.1 * random.Uniform(), row, morning, row)) << "day " << day;
  }
}

TEST(LossAlarm, SavedAndLoadedItGoesOn) {
  Random random(4);
  LossAlarm alarm, other;
  for (uint64_t i = 0; i < 3000; ++i) alarm.Add(random.Uniform(), i, i, i);
  ByteWriter out;
  alarm.Save(&out);
  ByteReader in(out.bytes());
  other.Load(&in);
  EXPECT_TRUE(in.done());
  bool rang = false;
  for (uint64_t i = 3000; i < 6000 && !rang; ++i) {
    const double loss = 0.3 + random.Uniform();
    rang = alarm.Add(loss, i, i, i);
    ASSERT_EQ(other.Add(loss, i, i, i), rang);
    ASSERT_EQ(other.change_row(), alarm.change_row());
  }
  EXPECT_TRUE(rang);
}

// Each number of a saved alarm in turn becomes one that cannot be.
TEST(LossAlarm, RefusesDamagedNumbers) {
  Random random(4);
  LossAlarm alarm;
  for (uint64_t i = 0; i < 3000; ++i) alarm.Add(random.Uniform(), i, i, i);
  ByteWriter out;
  alarm.Save(&out);
  const auto load = [](const std::string& bytes) {
    ByteReader in(bytes);
    LossAlarm().Load(&in);
  };
  EXPECT_NO_THROW(load(out.bytes()));
  // Five counts; then the sum of the block, the scale, the sum, its lowest, the sum since; two references of two counts, mean and spread.
  const std::vector<size_t> numbers = {5, 6, 7, 8, 9, 12, 13, 16, 17};
  for (const size_t number : numbers) {
    for (const double bad : {double{NAN}, double{INFINITY}, -double{INFINITY}}) {
      std::string bytes = out.bytes();
      bytes.replace(8 * number, 8, reinterpret_cast<const char*>(&bad), 8);
      EXPECT_THROW(load(bytes), Error) << "number " << number << ", " << bad;
    }
  }
  for (const size_t number : {6, 13, 17}) {  // scale and spreads
    std::string bytes = out.bytes();
    const double negative = -1;
    bytes.replace(8 * number, 8, reinterpret_cast<const char*>(&negative), 8);
    EXPECT_THROW(load(bytes), Error) << "number " << number;
  }
  std::string bytes = out.bytes();
  const uint64_t few = 1;  // blocks in the reference: there is no deviation of one
  bytes.replace(8 * 10, 8, reinterpret_cast<const char*>(&few), 8);
  EXPECT_THROW(load(bytes), Error);
  bytes = out.bytes();
  const double nan = NAN;  // of the last detector
  bytes.replace(bytes.size() - 8, 8, reinterpret_cast<const char*>(&nan), 8);
  EXPECT_THROW(load(bytes), Error);
}

}  // namespace
}  // namespace everlearn
