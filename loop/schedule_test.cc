// Tests of the order in which rows and outcomes become known.
#include "loop/schedule.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace everlearn {
namespace {

// "r0 o0 r1 …"
std::string Text(const Schedule& schedule) {
  std::string text;
  for (size_t i = 0; i < schedule.size(); ++i)
    text += (i > 0 ? " " : "") + std::string(schedule.is_outcome(i) ? "o" : "r") + std::to_string(schedule.row(i));
  return text;
}

TEST(Schedule, WithoutDelayEachOutcomeFollowsItsRow) {
  EXPECT_EQ(Text(Schedule({.rows = 3, .has_outcome = {true, true, true}})), "r0 o0 r1 o1 r2 o2");
}

TEST(Schedule, RowsOfDelayAreRowsPredictedInBetween) {
  EXPECT_EQ(Text(Schedule({.rows = 4, .delay_rows = 2, .has_outcome = {true, true, true, true}})), "r0 r1 r2 o0 r3 o1 o2 o3");
}

TEST(Schedule, MissingOutcomesNeverCome) {
  EXPECT_EQ(Text(Schedule({.rows = 3, .has_outcome = {true, false, true}})), "r0 o0 r1 r2 o2");
  EXPECT_EQ(Text(Schedule({.rows = 2, .times = {10, 20}, .outcome_times = {kNoTime, 30}, .has_outcome = {true, true}})), "r0 r1 o1");
}

TEST(Schedule, OutcomesComeInTheOrderOfTheirTime) {
  const Schedule schedule({.rows = 3, .times = {10, 20, 30}, .outcome_times = {25, 22, 31}, .has_outcome = {true, true, true}});
  EXPECT_EQ(Text(schedule), "r0 r1 o1 o0 r2 o2");
  EXPECT_EQ(schedule.time(2), 22);
  EXPECT_EQ(schedule.time(5), 31);
  EXPECT_EQ(schedule.RowAt(20), 1u);
  EXPECT_EQ(schedule.RowAt(31), 3u);
}

TEST(Schedule, AnOutcomeIsNeverBeforeItsOwnRow) {
  EXPECT_EQ(Text(Schedule({.rows = 2, .times = {10, 10}, .outcome_times = {5, 5}, .has_outcome = {true, true}})), "r0 o0 r1 o1");
}

TEST(Schedule, TimesAscendOverAllItemsWhateverTheDisorder) {
  Random random(5);
  for (int run = 0; run < 200; ++run) {
    ScheduleInput input;
    input.rows = 1 + random.Below(50);
    int64_t now = 0;
    for (size_t i = 0; i < input.rows; ++i) {
      now += static_cast<int64_t>(random.Below(3));
      input.times.push_back(now);
      input.outcome_times.push_back(random.Below(10) == 0 ? kNoTime : now - 2 + static_cast<int64_t>(random.Below(40)));
      input.has_outcome.push_back(random.Below(8) != 0);
    }
    const Schedule schedule(input);
    int64_t last = 0;
    size_t rows = 0, outcomes = 0;
    std::vector<bool> predicted(input.rows);
    for (size_t i = 0; i < schedule.size(); ++i) {
      EXPECT_GE(schedule.time(i), last);
      last = schedule.time(i);
      if (schedule.is_outcome(i)) {
        EXPECT_TRUE(predicted[schedule.row(i)]);
        EXPECT_EQ(schedule.outcome_rows()[outcomes++], schedule.row(i));
      } else {
        EXPECT_EQ(schedule.row(i), rows++);
        predicted[schedule.row(i)] = true;
      }
    }
    EXPECT_EQ(rows, input.rows);
  }
}

}  // namespace
}  // namespace everlearn
