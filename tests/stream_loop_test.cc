// The loop over a stream: lags that Step fills in are those of a history; members beyond the budget rest and wake;
// the default rosters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "loop/lags.h"
#include "loop/roster_entry.h"
#include "loop/router.h"
#include "loop/step.h"

namespace everlearn {
namespace {

TEST(StreamLoop, StepFillsInTheSame) {
  constexpr size_t kRows = 700;
  ScheduleInput history;
  history.rows = kRows;
  history.delay_rows = 5;
  history.has_outcome.assign(kRows, true);
  std::vector<double> target, expected(kRows * Lags::Count(2));
  Random random(3);
  for (size_t row = 0; row < kRows; ++row) target.push_back(static_cast<double>(random.Below(2)));
  FillLags(history, target, 2, expected);
  LoopOptions options;
  options.metric = "log_loss";
  options.classes = 2;
  options.roster = {"running_majority"};
  options.lag_features = Lags::Count(2);
  options.is_category.assign(1 + options.lag_features, false);
  options.retrain = RetrainRule::kNever;
  LoopState state(options);
  const std::vector<double> row(options.is_category.size(), kMissing);
  const Schedule order(history);
  Effects effects;
  for (size_t item = 0; item < order.size(); ++item) {
    Event event;
    event.row = order.row(item);
    event.kind = order.is_outcome(item) ? EventKind::kOutcome : EventKind::kRow;
    event.truth = target[event.row];
    event.features = row.data();
    Step(state, {.event = event}, &effects);
    if (order.is_outcome(item)) continue;
    const std::vector<double>& features = state.pending.Find(event.row)->features;
    for (size_t i = 0; i < options.lag_features; ++i) {
      const double mine = features[1 + i], theirs = expected[event.row * options.lag_features + i];
      ASSERT_TRUE(mine == theirs || (std::isnan(mine) && std::isnan(theirs))) << "row " << event.row << ", lag " << i;
    }
  }
}

// With the real learners: each name is one, can do the kind of task, and no two are the same member.
TEST(StreamLoop, DefaultRostersAreRosters) {
  for (const size_t classes : {0, 2, 3}) {
    for (const bool lags : {false, true}) {
      for (const bool quick : {false, true}) {
        LoopOptions options;
        options.metric = classes == 0 ? "rmse" : "log_loss";
        options.classes = classes;
        options.lag_features = lags ? Lags::Count(classes) : 0;
        options.is_category.assign(2 + options.lag_features, false);
        options.quick_roster = quick;
        const LoopState state(options);
        EXPECT_EQ(state.roster.lineages.size(), DefaultRoster(classes, lags, quick).size());
        EXPECT_EQ(state.roster.LineageOf(state.roster.champion).kind, MemberKind::kBlend);
      }
    }
  }
}

class Routing : public testing::Test {
 protected:
  static LoopOptions Options(double row_units) {
    LoopOptions options;
    options.metric = "log_loss";
    options.classes = 2;
    options.roster = {"running_majority", "online_linear", "online_crosses", "alma", "blend"};
    options.is_category.assign(kFeatures, false);
    options.retrain = RetrainRule::kNever;
    options.row_units = row_units;
    return options;
  }

  // One row with its outcome; the members that predicted it. From row `turn` on the classes change places.
  std::vector<uint32_t> Feed(LoopState* state, uint64_t row, uint64_t turn) {
    double features[kFeatures];
    for (double& value : features) value = random_.Uniform() - 0.5;
    Effects effects;
    Event event;
    event.row = row;
    event.features = features;
    event.kind = EventKind::kRow;
    Step(*state, {.event = event}, &effects);
    std::vector<uint32_t> members = state->pending.Find(row)->members;
    std::sort(members.begin(), members.end());
    event.kind = EventKind::kOutcome;
    event.truth = (features[0] + features[1] > 0) != (row >= turn) ? 1 : 0;
    Step(*state, {.event = event}, &effects);
    return members;
  }

  static double Units(const LoopState& state, const std::vector<uint32_t>& members) {
    double units = 0;
    for (const uint32_t member : members)
      if (state.roster.LineageOf(member).kind == MemberKind::kOnline)
        units += UnitsToFit(state, state.roster.LineageOf(member), 1000) / 1000;
    return units;
  }

  static constexpr size_t kFeatures = 6;
  static constexpr uint64_t kNever = UINT64_MAX;
  Random random_{7};
};

TEST_F(Routing, WithoutABudgetNobodyRests) {
  LoopState state(Options(0));
  const std::vector<uint32_t> all = Feed(&state, 0, kNever);
  for (uint64_t row = 1; row < 3 * kRouteEvery; ++row) ASSERT_EQ(Feed(&state, row, kNever), all) << row;
}

TEST_F(Routing, KeepsTheBudgetTriesRestersAgainAndWakesThemOnAnAlarm) {
  const LoopState free(Options(0));
  const double linear = UnitsToFit(free, free.roster.LineageOf(2), 1000) / 1000;
  const double majority = UnitsToFit(free, free.roster.LineageOf(1), 1000) / 1000;
  const double budget = 1.05 * (majority + linear);  // room for one
  LoopState state(Options(budget));
  const size_t all = Feed(&state, 0, kNever).size();
  uint64_t resting = 0, trials = 0, row = 1;
  constexpr uint64_t kTurn = 60'000, kRows = kTurn + 4 * kNotice;
  std::vector<uint32_t> before, members;
  for (; row < kTurn; ++row, before = members) {
    members = Feed(&state, row, kTurn);
    if (row < kRouteEvery) {
      ASSERT_EQ(members.size(), all);
    }
    resting += Units(state, members) <= budget ? 1 : 0;
    trials += members.size() > before.size() && row > kRouteEvery ? 1 : 0;
    ASSERT_NE(std::find(members.begin(), members.end(), state.roster.champion), members.end());
  }
  EXPECT_GT(resting, kTurn / 4);
  EXPECT_GE(trials, 2u);
  size_t most = 0;
  for (; row < kRows; ++row) most = std::max(most, Feed(&state, row, kTurn).size());
  EXPECT_EQ(most, all);
}

TEST_F(Routing, GoesOnFromACheckpoint) {
  const auto options = Options(1e-5);
  LoopState whole(options);
  uint64_t row = 0;
  for (; row < kRouteEvery + 100; ++row) Feed(&whole, row, kNever);
  LoopState restored(options);
  restored.Load(whole.Save(), [](const std::string&) { return nullptr; });
  const Random random = random_;
  for (uint64_t r = row; r < row + 3 * kNotice; ++r) Feed(&whole, r, kNever);
  random_ = random;
  for (uint64_t r = row; r < row + 3 * kNotice; ++r) Feed(&restored, r, kNever);
  EXPECT_EQ(whole.Save(), restored.Save());
}

}  // namespace
}  // namespace everlearn
