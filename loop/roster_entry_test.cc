// Entries of a roster: what they say, what is no entry, and that two names of one member are seen as one.
#include "loop/roster_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loop/learners_test_support.h"
#include "loop/state.h"

namespace everlearn {
namespace {

using testing::HasSubstr;

ParameterValues ValuesOf(const RosterEntry& entry) {
  return ParameterValues::FromJson(entry.learner, Learners().Get(entry.learner).parameters, ParseJson(entry.parameters, "parameters"));
}

std::string MessageOf(const std::string& text) {
  try {
    ParseRosterEntry(text, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
    return error.message() + " " + error.hint();
  }
  return "";
}

LoopOptions Options(const std::vector<std::string>& roster) {
  LoopOptions options;
  options.metric = "log_loss";
  options.classes = 2;
  options.is_category = {false, false};
  options.lag_features = 1;
  options.roster = roster;
  return options;
}

TEST(RosterEntry, ALearnerAloneHasTheTasksParameters) {
  const RosterEntry plain = ParseRosterEntry("follower", {});
  EXPECT_EQ(plain.name, "follower");
  EXPECT_EQ(plain.learner, "follower");
  EXPECT_TRUE(plain.sees_lags);
  EXPECT_EQ(ValuesOf(plain).Number("rate"), 0.1);
  const RosterEntry set = ParseRosterEntry("follower", {{"follower", R"({"rate": 0.7})"}, {"batch", R"({"units": 3})"}});
  EXPECT_EQ(ValuesOf(set).Number("rate"), 0.7);
}

TEST(RosterEntry, ItsOwnParametersGoBeforeTheTasks) {
  const RosterEntry entry = ParseRosterEntry("follower:rate=0.2;lags=no;units=5", {{"follower", R"({"rate": 0.7, "slope": 2})"}});
  EXPECT_EQ(entry.name, "follower:rate=0.2;lags=no;units=5");
  EXPECT_EQ(entry.learner, "follower");
  EXPECT_FALSE(entry.sees_lags);
  EXPECT_EQ(ValuesOf(entry).Number("rate"), 0.2);
  EXPECT_EQ(ValuesOf(entry).Number("slope"), 2);
  EXPECT_EQ(ValuesOf(entry).Number("units"), 5);
  EXPECT_TRUE(ParseRosterEntry("follower:lags=yes", {}).sees_lags);
}

TEST(RosterEntry, WhatIsNoneIsNamed) {
  EXPECT_THAT(MessageOf("folower"), HasSubstr("follower"));  // the nearest
  EXPECT_THAT(MessageOf("follower:rat=1"), HasSubstr("rate"));
  EXPECT_THAT(MessageOf("follower:rate=2"), HasSubstr("rate"));
  EXPECT_THAT(MessageOf("follower:rate=fast"), HasSubstr("fast"));
  EXPECT_THAT(MessageOf("follower:rate"), HasSubstr("parameter=value"));
  EXPECT_THAT(MessageOf("follower:"), HasSubstr("parameter=value"));
  EXPECT_THAT(MessageOf("follower:rate=0.5;"), HasSubstr("parameter=value"));
  EXPECT_THAT(MessageOf("follower:lags=maybe"), HasSubstr("yes or no"));
  EXPECT_THAT(MessageOf("batch:lags=no"), HasSubstr("online"));
}

TEST(RosterEntry, TwinsAreTheSameHoweverTheyAreWritten) {
  const auto same = [](const std::string& a, const std::string& b) { return ParseRosterEntry(a, {}).IsSameAs(ParseRosterEntry(b, {})); };
  EXPECT_TRUE(same("follower", "follower:rate=0.1"));  // its default
  EXPECT_TRUE(same("follower:rate=0.2;units=5", "follower:units=5.0;rate=2e-1"));
  EXPECT_TRUE(same("follower:lags=yes", "follower"));
  EXPECT_TRUE(same("blend", "blend"));
  EXPECT_FALSE(same("follower", "follower:rate=0.2"));
  EXPECT_FALSE(same("follower", "follower:lags=no"));
  EXPECT_FALSE(same("follower", "repeater"));
}

TEST(RosterEntry, ARosterTakesOneLearnerOftenButNoTwins) {
  const LoopState state(Options({"follower", "follower:rate=0.2", "follower:lags=no", "blend"}));
  ASSERT_EQ(state.roster.members.size(), 4u);
  EXPECT_EQ(state.roster.members[2].name, "follower:lags=no");
  EXPECT_EQ(state.ShapeFor(state.roster.LineageOf(1)).features(), 2u);
  EXPECT_EQ(state.ShapeFor(state.roster.LineageOf(3)).features(), 1u);
  for (const char* twin : {"follower", "follower:rate=0.1", "follower:lags=yes"})
    EXPECT_THROW(LoopState(Options({"follower", twin})), Error) << twin;
}

// What only says that an earlier outcome comes again is reported, but neither blended nor served, where lags are not wanted.
TEST(RosterEntry, WithoutLagsWhatRepeatsOutcomesIsNoExpert) {
  LoopOptions options = Options({"repeater", "follower", "blend"});
  EXPECT_TRUE(LoopState(options).blend.HasExpert(1));
  options.lags = false;
  options.lag_features = 0;
  const LoopState state(options);
  EXPECT_FALSE(state.roster.LineageOf(1).eligible);
  EXPECT_FALSE(state.blend.HasExpert(1));
  EXPECT_TRUE(state.blend.HasExpert(2));
  EXPECT_NE(state.roster.champion, 1u);
}

}  // namespace
}  // namespace everlearn
