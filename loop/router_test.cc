// The router's choice after an outcome: who rests by trust and cost, from when, for how long, and who never does.
#include "loop/router.h"

#include <gtest/gtest.h>

#include <set>

#include "loop/learners_test_support.h"

namespace everlearn {
namespace {

// Members: 1 steady (a baseline), 2 and 3 of 1 unit a row, 4 of 3 units, 5 that costs next to nothing, 6 the blend, which serves.
LoopOptions Options(double row_units) {
  LoopOptions options;
  options.metric = "log_loss";
  options.classes = 2;
  options.is_category = {false};
  options.roster = {"steady:units=1",           "follower:units=1;slope=2",     "follower:units=1;slope=-2",
                    "follower:units=3;slope=2", "follower:units=0.01;rate=0.5", "blend"};
  options.retrain = RetrainRule::kNever;
  options.row_units = row_units;
  return options;
}

std::set<uint32_t> Resting(const LoopState& state, uint64_t row) {
  std::set<uint32_t> resting;
  for (const Member& member : state.roster.members)
    if (!member.Takes(row)) resting.insert(member.id);
  return resting;
}

// Members 2 and 4 are right, 4 a little more so, 3 is wrong.
void Teach(LoopState* state, int rows) {
  for (int i = 0; i < rows; ++i) {
    PendingRow row;
    row.members = {1, 2, 3, 4, 5};
    row.predictions = {0.5, 0.5, 0.1, 0.9, 0.9, 0.1, 0.0993, 0.9007, 0.5, 0.5};
    state->blend.Learn(row, 1, 0);
  }
}

void RouteAt(LoopState* state, uint64_t outcomes) {
  while (state->pending.next_row() < outcomes) {
    state->pending.Push();
    state->pending.PopFront();
  }
  state->outcomes = outcomes;
  Route(*state);
}

TEST(Router, RestsWhomTheBlendTrustsLeastForTheCost) {
  LoopState state(Options(2.5));  // the baseline, and room for one of the two of 1 unit
  Teach(&state, 2000);
  RouteAt(&state, kRouteEvery);
  EXPECT_EQ(Resting(state, kRouteEvery + kNotice), (std::set<uint32_t>{3, 4}));
  LoopState more(Options(4.5));  // for 4, or for 2 and 3: 4 is a little better than 2, for three times as much
  Teach(&more, 2000);
  const auto trust = [&](size_t expert) { return more.blend.experts()[expert].trust; };
  ASSERT_GT(trust(3), trust(1));
  RouteAt(&more, kRouteEvery);
  EXPECT_EQ(Resting(more, kRouteEvery + kNotice), (std::set<uint32_t>{4}));
}

TEST(Router, ABudgetForAllRestsNobody) {
  for (const double units : {0.0, 6.02}) {
    LoopState state(Options(units));
    RouteAt(&state, kRouteEvery);
    EXPECT_TRUE(Resting(state, kRouteEvery + kNotice).empty()) << units;
  }
}

TEST(Router, BaselinesTheChampionAndTheCheapNeverRest) {
  LoopState state(Options(0.6));  // 0.01 units are next to nothing of that
  state.roster.champion = 4;
  RouteAt(&state, kRouteEvery);
  EXPECT_EQ(Resting(state, kRouteEvery + kNotice), (std::set<uint32_t>{2, 3}));
}

// Members are taken through a stretch of rows ahead of the loop: what is decided must not hold for rows that they have seen.
TEST(Router, DecidesForRowsThatNobodyHasSeen) {
  LoopState state(Options(0.6));
  RouteAt(&state, kRouteEvery);
  EXPECT_TRUE(Resting(state, kRouteEvery + kNotice - 1).empty());
  EXPECT_FALSE(Resting(state, kRouteEvery + kNotice).empty());
}

TEST(Router, DecidesOnlyAtItsTurns) {
  LoopState state(Options(0.6));
  RouteAt(&state, kRouteEvery - 1);
  RouteAt(&state, kRouteEvery + 1);
  EXPECT_TRUE(Resting(state, kRouteEvery + 2 * kNotice).empty());
}

TEST(Router, RestsGrowLongerUpToEightTimes) {
  LoopState state(Options(0.6));
  const Member& member = state.roster.Get(3);
  std::vector<uint64_t> rests;
  for (uint64_t turn = 1; rests.size() < 6; ++turn) {
    const uint32_t before = member.rests;
    RouteAt(&state, turn * kRouteEvery);
    if (member.rests > before) rests.push_back(member.resting.back().wakes - member.resting.back().from);
  }
  EXPECT_EQ(rests, (std::vector<uint64_t>{8192, 16384, 32768, 65536, 65536, 65536}));
}

// Who wakes is on trial for a while beyond the budget, and rests again after it without having made another one rest.
TEST(Router, ATrialIsBeyondTheBudget) {
  LoopState state(Options(2.5));
  Teach(&state, 2000);
  RouteAt(&state, kRouteEvery);
  const uint64_t wakes = state.roster.Get(3).resting.back().wakes;
  uint64_t turn = 2;
  for (; turn * kRouteEvery + kNotice < wakes; ++turn) RouteAt(&state, turn * kRouteEvery);
  RouteAt(&state, turn * kRouteEvery);  // within the trial
  EXPECT_TRUE(Resting(state, wakes).empty());
  RouteAt(&state, ++turn * kRouteEvery);
  EXPECT_EQ(Resting(state, turn * kRouteEvery + kNotice), (std::set<uint32_t>{3, 4}));
}

TEST(Router, WhoPaysAgainBeginsWithAShortRestNextTime) {
  LoopState state(Options(2.5));
  Teach(&state, 2000);
  RouteAt(&state, kRouteEvery);
  ASSERT_EQ(state.roster.Get(3).rests, 1u);
  state.options.row_units = 10;
  for (uint64_t turn = 2; turn < 8; ++turn) RouteAt(&state, turn * kRouteEvery);
  EXPECT_EQ(state.roster.Get(3).rests, 0u);
}

TEST(Router, AllWakeAfterTheNoticeNotBefore) {
  LoopState state(Options(0.6));
  RouteAt(&state, kRouteEvery);
  const uint64_t from = state.roster.Get(3).resting.back().from;
  RouteAt(&state, from + 500);
  WakeAll(state);
  EXPECT_EQ(Resting(state, from + 500 + kNotice - 1), (std::set<uint32_t>{2, 3, 4}));
  EXPECT_TRUE(Resting(state, from + 500 + kNotice).empty());
  EXPECT_EQ(state.roster.Get(3).rests, 1u);  // a long rest is not held against it any more
}

TEST(Router, AWakingBeforeTheRestBeganCancelsIt) {
  LoopState state(Options(0.6));
  RouteAt(&state, kRouteEvery);
  WakeAll(state);
  EXPECT_TRUE(Resting(state, state.roster.Get(3).resting.back().from).empty());
}

TEST(Router, OneExpertOfTheBlendStaysAwake) {
  LoopOptions options = Options(0.01);
  options.roster = {"follower:units=1", "follower:units=3;slope=2", "follower:units=1;slope=-2", "blend"};
  LoopState state(options);
  Teach(&state, 2000);
  RouteAt(&state, kRouteEvery);
  EXPECT_EQ(Resting(state, kRouteEvery + kNotice), (std::set<uint32_t>{1, 3}));  // the dearest is trusted most
  for (uint64_t turn = 2; turn < 40; ++turn) {
    RouteAt(&state, turn * kRouteEvery);
    const uint64_t from = turn * kRouteEvery + kNotice;
    for (uint64_t row = from; row < from + kRouteEvery; row += 512) EXPECT_LT(Resting(state, row).size(), 3u) << row;
  }
}

// A row that waits for its outcome is learnt by those who were awake for it, however many rests there have been since.
TEST(Router, AWaitingRowKeepsTheRestItLiesIn) {
  LoopState state(Options(0.6));
  Member& member = state.roster.Get(3);
  for (uint64_t row = 0; row < 7000; ++row) state.pending.Push();
  state.outcomes = kRouteEvery;
  Route(state);
  const Rest first = member.resting.back();
  while (state.pending.next_row() < first.wakes + kRouteEvery) state.pending.Push();
  Route(state);
  ASSERT_EQ(member.rests, 2u);
  EXPECT_TRUE(member.Takes(first.from - 1));
  EXPECT_FALSE(member.Takes(first.from));
  EXPECT_FALSE(member.Takes(first.wakes - 1));
  EXPECT_TRUE(member.Takes(first.wakes));
  EXPECT_EQ(member.resting.size(), 2u);
  while (state.pending.next_row() < member.resting.back().wakes + kRouteEvery) state.pending.Push();
  while (state.pending.first_row() < first.wakes) state.pending.PopFront();
  Route(state);
  EXPECT_EQ(member.resting.size(), 2u);  // nothing waits any more that lies in the first
}

TEST(Router, CostsAreTheLearnersFormula) {
  const LoopState state(Options(0));
  EXPECT_DOUBLE_EQ(UnitsToFit(state, state.roster.LineageOf(4), 100), 300);
  EXPECT_DOUBLE_EQ(UnitsToFit(state, state.roster.LineageOf(5), 100), 1);
}

}  // namespace
}  // namespace everlearn
