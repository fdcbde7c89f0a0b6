// When batch members are trained again: by rule, by schedule and patience, within what may be spent, after an alarm; and what a new model
// that gained nothing does to the schedule.
#include "loop/retraining.h"

#include <gtest/gtest.h>

#include <cmath>

#include "loop/learners_test_support.h"

namespace everlearn {
namespace {

LoopOptions Options(RetrainRule rule) {
  LoopOptions options;
  options.metric = "log_loss";
  options.classes = 2;
  options.is_category = {false};
  options.roster = {"steady", "batch:units=0.5", "batch:units=1", "blend"};
  options.retrain = rule;
  options.budget_units = 600;
  return options;
}

LoopState At(const LoopOptions& options, uint64_t outcomes, int64_t now = kNoTime) {
  LoopState state(options);
  state.outcomes = outcomes;
  state.now = now;
  return state;
}

uint64_t NextOf(LoopState& state) {
  ScheduleRetraining(state);
  return state.next_retrain;
}

TEST(Retraining, IsDueByTheRule) {
  LoopState never = At(Options(RetrainRule::kNever), 1'000'000);
  EXPECT_FALSE(RetrainingIsDue(never));
  LoopState first = At(Options(RetrainRule::kAuto), 999);
  EXPECT_FALSE(RetrainingIsDue(first));
  first.outcomes = 1000;
  EXPECT_TRUE(RetrainingIsDue(first));
  first.paused = true;
  EXPECT_FALSE(RetrainingIsDue(first));
  first.paused = false;
  first.roster.champion = 0;  // the search for the first models is still on
  EXPECT_FALSE(RetrainingIsDue(first));
  LoopOptions options = Options(RetrainRule::kEveryRows);
  options.retrain_every = 250;
  LoopState rows = At(options, 1000);
  EXPECT_EQ(NextOf(rows), 1250u);
  options = Options(RetrainRule::kEveryTime);
  options.retrain_every = 60;
  LoopState time = At(options, 1000, 100);
  EXPECT_FALSE(RetrainingIsDue(time));  // it has not begun to count
  ScheduleRetraining(time);
  time.now = 159;
  EXPECT_FALSE(RetrainingIsDue(time));
  time.now = 160;
  EXPECT_TRUE(RetrainingIsDue(time));
}

TEST(Retraining, TheScheduleGrowsWithWhatIsKnownAndWithPatience) {
  LoopState state = At(Options(RetrainRule::kAuto), 1000);
  EXPECT_EQ(NextOf(state), 2000u);  // at the earliest after 1,000
  state.outcomes = 10'000;
  EXPECT_EQ(NextOf(state), 13'000u);
  state.patience = 4;
  EXPECT_EQ(NextOf(state), 22'000u);
  state.patience = 1;
  state.outcomes = 1'000'000;
  EXPECT_EQ(NextOf(state), 1'050'000u);  // at the latest after 50,000
}

TEST(Retraining, EachBatchMemberIsTrainedOnItsShareOfTheBudget) {
  LoopState state = At(Options(RetrainRule::kAuto), 1000, 5'000'000);
  Effects effects;
  Retrain(state, {}, &effects);
  ASSERT_EQ(effects.requests.size(), 2u);
  EXPECT_EQ(state.requests.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const TrainRequest& request = effects.requests[i];
    EXPECT_EQ(request.number, i + 1);
    EXPECT_EQ(request.learner, "batch");
    EXPECT_EQ(request.units, 300);
    EXPECT_EQ(request.outcomes, 1000u);
    EXPECT_EQ(request.due, 5'000'000 + 3'000'000);  // a unit is 10 ms
  }
  EXPECT_NE(effects.requests[0].parameters, effects.requests[1].parameters);
  // Nobody is trained twice at once, and who is trained alone has all.
  state.requests.erase(state.requests.begin());
  effects.Clear();
  Retrain(state, {}, &effects);
  ASSERT_EQ(effects.requests.size(), 1u);
  EXPECT_EQ(effects.requests[0].units, 600);
  EXPECT_EQ(effects.requests[0].number, 3u);
  EXPECT_EQ(effects.requests[0].lineage, state.roster.lineages[1].id);
}

TEST(Retraining, ATrainingMustPayOffBeforeTheNext) {
  LoopOptions options = Options(RetrainRule::kAuto);
  options.row_units = 0.4;  // half of which trainings may cost, shared by two lineages
  options.budget_units = 1e9;
  LoopState state = At(options, 1000);
  Effects effects;
  Retrain(state, {}, &effects);
  ASSERT_EQ(effects.requests.size(), 2u);
  // 1,000 rows cost 500 and 1,000 units: 500 · 2 / 0.2 and twice as many rows.
  EXPECT_EQ(state.roster.lineages[1].paid_off, 6000u);
  EXPECT_EQ(state.roster.lineages[2].paid_off, 11'000u);
  EXPECT_EQ(state.next_retrain, 6000u);  // not 2,000, as the schedule alone would have it
  state.requests.clear();
  effects.Clear();
  state.outcomes = 6000;
  Retrain(state, {}, &effects);
  ASSERT_EQ(effects.requests.size(), 1u);
  EXPECT_EQ(effects.requests[0].lineage, state.roster.lineages[1].id);
  // A limit of each training bounds what must be paid off.
  options.budget_units = 600;
  LoopState cheap = At(options, 1'000'000);
  Retrain(cheap, {}, &effects);
  EXPECT_EQ(cheap.roster.lineages[2].paid_off, 1'003'000u);  // 300 · 2 / 0.2
}

TEST(Retraining, ARuleOfTheTasksOwnerAsksForNoPayOff) {
  LoopOptions options = Options(RetrainRule::kEveryRows);
  options.retrain_every = 100;
  options.row_units = 0.001;
  LoopState state = At(options, 1000);
  Effects effects;
  for (uint64_t turn = 0; turn < 3; ++turn, state.outcomes += 100) {
    effects.Clear();
    state.requests.clear();
    Retrain(state, {}, &effects);
    EXPECT_EQ(effects.requests.size(), 2u);
    EXPECT_EQ(state.next_retrain, state.outcomes + 100);
  }
}

// An alarm about a rise of the loss that began at row 2,000.
LossAlarm Alarm() {
  LossAlarm alarm;
  uint64_t row = 0;
  while (!alarm.Add(row < 2000 ? 0.1 + 0.01 * static_cast<double>(row % 7) : 5, row, row, row)) ++row;
  return alarm;
}

TEST(Retraining, AnAlarmTrainsAtOnceOnWhatCameSince) {
  LoopState state = At(Options(RetrainRule::kAuto), 3000);
  state.next_retrain = 50'000;
  state.patience = 4;
  Effects effects;
  const LossAlarm alarm = Alarm();
  OnLossAlarm(state, state.roster.champion, alarm, &effects);
  ASSERT_EQ(effects.notices.size(), 1u);
  EXPECT_EQ(effects.notices[0].kind, "drift");
  EXPECT_EQ(effects.notices[0].detail.at("what"), "loss");
  EXPECT_NEAR(static_cast<double>(state.recent_row), 2000, 5);
  ASSERT_EQ(effects.requests.size(), 2u);
  for (const TrainRequest& request : effects.requests) {
    EXPECT_EQ(request.recent_row, state.recent_row);
    EXPECT_TRUE(request.bank.empty());  // the newest rows are what it must learn
  }
  EXPECT_EQ(state.patience, 1u);
  EXPECT_EQ(state.next_retrain, 4000u);  // once more when more of the new is known
}

TEST(Retraining, AnAlarmDoesNotOverruleThePersonWhoSetTheRule) {
  for (const bool paused : {false, true}) {
    LoopState state = At(Options(paused ? RetrainRule::kAuto : RetrainRule::kNever), 3000);
    state.paused = paused;
    Effects effects;
    OnLossAlarm(state, state.roster.champion, Alarm(), &effects);
    EXPECT_EQ(effects.notices.size(), 1u);
    EXPECT_TRUE(effects.requests.empty());
  }
}

// A judged retraining of a lineage whose model before lost `before` on each of its 400 bank rows, where the new one loses ln 2.
void Judge(LoopState* state, uint32_t lineage, double before, uint64_t outcomes) {
  TrainRequest request;
  request.lineage = lineage;
  request.outcomes = outcomes;
  request.recent_row = state->recent_row;
  for (uint64_t row = 0; row < 400; ++row) {
    BankRow& bank = request.bank.emplace_back();
    bank.row = bank.informed = bank.counted = row;
    bank.truth = static_cast<double>(row % 2);
    bank.lost = {{state->roster.champion, 0.5}, {state->roster.lineages[lineage - 1].newest, before + 0.01 * static_cast<double>(row % 3)}};
  }
  const JsonObject detail = JudgeOnBank(*state, request, std::vector<double>(800, 0.5));
  EXPECT_EQ(detail.at("rows").to_number<int>(), 400);
  EXPECT_NEAR(detail.at("gain_over_champion").at("value").to_number<double>(), 0.5 - std::log(2), 1e-12);
}

TEST(Retraining, WhatGainsNothingMakesTheScheduleWait) {
  LoopState state = At(Options(RetrainRule::kAuto), 10'000);
  for (size_t i = 1; i <= 2; ++i) state.AddMember(state.roster.lineages[i].id, "batch" + std::to_string(i));
  Judge(&state, 2, 0.3, 10'000);
  EXPECT_EQ(state.patience, 2u);
  EXPECT_EQ(state.next_retrain, 16'000u);
  Judge(&state, 3, 0.3, 10'000);  // of the same retraining, which is judged once
  EXPECT_EQ(state.patience, 2u);
  Judge(&state, 2, 0.3, 11'000);
  Judge(&state, 2, 0.3, 12'000);
  EXPECT_EQ(state.patience, 4u);  // and no more
  Judge(&state, 3, 0.9, 12'000);  // one that gained is enough
  EXPECT_EQ(state.patience, 1u);
  EXPECT_EQ(state.next_retrain, 15'600u);
}

TEST(Retraining, WhatWasAskedForBeforeAnAlarmSaysNothingAfterIt) {
  LoopState state = At(Options(RetrainRule::kAuto), 10'000);
  state.AddMember(2, "batch1");
  state.next_retrain = 11'000;
  TrainRequest request;
  request.lineage = 2;
  request.outcomes = 10'000;
  state.recent_row = 9000;
  for (uint64_t row = 0; row < 400; ++row) {
    BankRow& bank = request.bank.emplace_back();
    bank.row = bank.informed = bank.counted = row;
    bank.lost = {{state.roster.champion, 0.5}, {state.roster.lineages[1].newest, 0.3}};
  }
  JudgeOnBank(state, request, std::vector<double>(800, 0.5));
  EXPECT_EQ(state.patience, 1u);
  EXPECT_EQ(state.next_retrain, 11'000u);
}

}  // namespace
}  // namespace everlearn
