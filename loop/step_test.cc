// Who serves: a member that rested when it was promoted, and the blend when no expert has anything to say.
#include "loop/step.h"

#include <gtest/gtest.h>

#include "loop/learners_test_support.h"
#include "loop/router.h"

namespace everlearn {
namespace {

LoopOptions Options(size_t classes) {
  LoopOptions options;
  options.metric = classes == 0 ? "rmse" : "log_loss";
  options.classes = classes;
  options.is_category = {false};
  options.roster = {"steady", "follower:rate=0.01", "follower:slope=1", "blend"};
  options.retrain = RetrainRule::kNever;
  // Nobody is promoted but by a wish.
  options.evidence.minimum_gain = 1e3;
  options.evidence.rollback_rows = options.evidence.guard_rows = 1e308;
  return options;
}

// A row and its outcome; who predicted it, the one that served first.
std::vector<uint32_t> RowAndOutcome(LoopState* state, double truth, std::vector<double>* predictions = nullptr) {
  const double feature = 0.1;
  Effects effects;
  Event event;
  event.row = state->pending.next_row();
  event.features = &feature;
  Step(*state, {.event = event}, &effects);
  const std::vector<uint32_t> members = effects.predicted->members;
  if (predictions != nullptr) *predictions = effects.predicted->predictions;
  event.kind = EventKind::kOutcome;
  event.truth = truth;
  Step(*state, {.event = event}, &effects);
  return members;
}

void Promote(LoopState* state, uint32_t member) {
  Effects effects;
  Event event;
  event.kind = EventKind::kWish;
  event.word = "promote";
  event.member = member;
  event.detail = ToText(JsonObject{});
  Step(*state, {.event = event}, &effects);
}

TEST(Step, WhoRestedWhenItWasPromotedServesAfterTheNotice) {
  LoopState state(Options(2));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(RowAndOutcome(&state, i % 2).front(), 4u);
  Member& rests = state.roster.Get(3);
  rests.resting = {{5, 50'000}};
  rests.rests = 1;
  Promote(&state, 3);
  for (uint64_t row = 10; row < 10 + kNotice; ++row) {
    const auto members = RowAndOutcome(&state, row % 2 == 0);
    ASSERT_EQ(members, (std::vector<uint32_t>{4, 1, 2})) << row;
  }
  // So too from a checkpoint.
  LoopState copy(Options(2));
  copy.Load(state.Save(), [](const std::string&) { return nullptr; });
  for (LoopState* each : {&state, &copy})
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(RowAndOutcome(each, i % 2).front(), 3u) << i;
}

TEST(Step, ARestThatHadNotBegunEndsWithThePromotion) {
  LoopState state(Options(2));
  RowAndOutcome(&state, 1);
  state.roster.Get(3).resting = {{kNotice + 1, 50'000}};
  state.roster.Get(3).rests = 1;
  Promote(&state, 3);
  for (uint64_t row = 1; row < 3 * kNotice; ++row) ASSERT_EQ(RowAndOutcome(&state, row % 2).front(), 3u) << row;
}

TEST(Step, WhereNoExpertSpeaksTheBlendSaysWhatIsUsual) {
  for (const size_t classes : {0, 2}) {
    LoopState state(Options(classes));
    for (int i = 0; i < 30; ++i) RowAndOutcome(&state, i % 3 == 0 ? 1 : 0);
    for (const uint32_t expert : {1, 2, 3}) state.roster.Get(expert).resting = {{30, 40}};
    std::vector<double> said;
    EXPECT_EQ(RowAndOutcome(&state, 1, &said), std::vector<uint32_t>{4});
    if (classes == 0) {
      EXPECT_NEAR(said[0], 1.0 / 3, 1e-12);
    } else {
      EXPECT_NEAR(said[1], 11.0 / 32, 1e-12);
      EXPECT_EQ(said[0], 1.0 - said[1]);
    }
  }
}

}  // namespace
}  // namespace everlearn
