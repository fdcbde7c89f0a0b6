// Tests of what `everlearn feed` sends: rows as JSON, event time, and which items go into one request.
#include "cli/feed_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "base/timestamp.h"
#include "cli/feed_report.h"
#include "data/reader.h"
#include "data/test_files.h"

namespace everlearn {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

FeedPlan PlanOf(const std::string& csv, const FeedRequest& request, std::vector<SchemaWarning>* warnings = nullptr) {
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", csv);
  std::vector<SchemaWarning> ignored;
  return FeedPlan(ReadTable(file, {}), {.types = {}, .source = "t.csv"}, request, warnings == nullptr ? &ignored : warnings);
}

// Steps as text: "p0,1 o0" is a request for rows 0 and 1, then one with the outcome of row 0.
std::string StepsText(
    const FeedPlan& plan, size_t batch, const std::function<int64_t()>& now = [] { return kNever; }) {
  FeedSteps steps(plan.schedule(), batch);
  std::string text;
  for (FeedStep step; steps.Next(now(), &step);) {
    text += (text.empty() ? "" : " ") + std::string(step.outcomes ? "o" : "p");
    for (const size_t item : step.items) {
      EXPECT_EQ(plan.schedule().is_outcome(item), step.outcomes);
      text += (item == step.items.front() ? "" : ",") + std::to_string(plan.schedule().row(item));
    }
  }
  return text;
}

TEST(FeedPlan, RowsAreSentAsJson) {
  const FeedPlan plan = PlanOf(
      "n,i,zip,word,yes,when,gap,y\n"
      "1.50,7,01234,\"a \"\"b\"\"\",yes,2013-02-01 05:15,,red\n"
      "-2e3,NA,99999,\xc3\xa9,no,2013-02-02,3,\n",
      {.target = "y"});
  EXPECT_EQ(
      plan.PredictionsBody({0, 2}),
      "{\"rows\":[{\"n\":1.5,\"i\":7,\"zip\":\"01234\",\"word\":\"a "
      "\\\"b\\\"\",\"yes\":\"yes\",\"when\":\"2013-02-01T05:15:00Z\",\"gap\":null},"
      "{\"n\":-2000,\"i\":null,\"zip\":\"99999\",\"word\":\"\xc3\xa9\",\"yes\":\"no\",\"when\":\"2013-02-02T00:00:00Z\",\"gap\":3}]}");
  EXPECT_EQ(plan.OutcomesBody({1}, {"\"id-1\""}), "{\"outcomes\":[{\"id\":\"id-1\",\"outcome\":\"red\"}]}");
  EXPECT_TRUE(plan.expects_outcome(0));
  EXPECT_FALSE(plan.expects_outcome(1));
}

TEST(FeedPlan, WordsAndCodesOfBooleans) {
  const FeedPlan plan = PlanOf("a,b,c,y\ntrue,0,f,1\nfalse,1,t,0\n", {.target = "y"});
  EXPECT_EQ(plan.PredictionsBody({0}).substr(0, 32), "{\"rows\":[{\"a\":true,\"b\":0,\"c\":\"f\"");
  EXPECT_EQ(plan.OutcomesBody({1}, {"7"}), "{\"outcomes\":[{\"id\":7,\"outcome\":1}]}");
  EXPECT_EQ(plan.target().Label(0), "1");
}

TEST(FeedPlan, OutcomesFollowTheirRowsWhereNothingIsSaid) {
  const FeedPlan plan = PlanOf("x,y\n1,1\n2,\n3,1\n4,0\n5,1\n", {.target = "y"});
  EXPECT_EQ(StepsText(plan, 1), "p0 o0 p1 p2 o2 p3 o3 p4 o4");
  EXPECT_EQ(StepsText(plan, 2), "p0,1 o0 p2,3 o2,3 p4 o4");
  EXPECT_EQ(StepsText(plan, 100), "p0,1,2,3,4 o0,2,3,4");
  EXPECT_EQ(StepsText(PlanOf("x,y\n1,1\n2,2\n", {}), 1), "p0 p1");
}

const char* const kTimed =  // times out of order, one missing
    "t,landed,x,y\n"
    "2020-01-01T02:00:00Z,2020-01-01T02:30:00Z,c,1\n"
    "2020-01-01T00:00:00Z,2020-01-01T03:00:00Z,a,0\n"
    ",2020-01-01T00:00:00Z,none,0\n"
    "2020-01-01T01:00:00Z,,b,1\n"
    "2020-01-01T02:00:00Z,2020-01-01T02:00:00Z,d,0\n";

TEST(FeedPlan, EventTimeOrdersRowsAndOutcomes) {
  std::vector<SchemaWarning> warnings;
  const FeedPlan plan = PlanOf(kTimed, {.target = "y", .time = "t", .outcome_time = "landed"}, &warnings);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(plan.rows(), 4U);
  EXPECT_EQ(StepsText(plan, 1), "p0 p1 p2 p3 o3,2,0");
  EXPECT_EQ(plan.PredictionsBody({0}), "{\"rows\":[{\"t\":\"2020-01-01T00:00:00Z\",\"x\":\"a\"}]}");
  EXPECT_EQ(plan.OutcomesBody({4}, {"\"q\""}), "{\"outcomes\":[{\"id\":\"q\",\"outcome\":0,\"time\":\"2020-01-01T02:00:00Z\"}]}");
  const FeedPlan delayed = PlanOf(kTimed, {.target = "y", .time = "t", .delay = "90m", .hidden = {"landed"}});
  EXPECT_EQ(StepsText(delayed, 1), "p0 p1 o0 p2 p3 o1,2,3");
  EXPECT_EQ(delayed.PredictionsBody({0}), "{\"rows\":[{\"t\":\"2020-01-01T00:00:00Z\",\"x\":\"a\"}]}");
}

TEST(FeedPlan, ByTheClockOnlyWhatIsDueGoesTogether) {
  const FeedPlan plan = PlanOf(kTimed, {.target = "y", .time = "t", .outcome_time = "landed"});
  EXPECT_EQ(StepsText(plan, 100, [] { return kNoTime; }), "p0 p1 p2,3 o3 o2 o0");
  EXPECT_EQ(StepsText(plan, 1, [] { return kNoTime; }), "p0 p1 p2 p3 o3 o2 o0");
  EXPECT_EQ(StepsText(plan, 100, [] { return *ParseTimestamp("2020-01-01T01:30:00Z"); }), "p0,1 p2,3 o3 o2 o0");
}

TEST(FeedPlan, StartAndLimit) {
  const FeedRequest request{.target = "y", .time = "t", .start = "2020-01-01T01:00:00Z", .limit = 2};
  const FeedPlan plan = PlanOf(kTimed, request);
  EXPECT_EQ(plan.rows(), 2U);
  EXPECT_NE(plan.PredictionsBody({0}).find("\"x\":\"b\""), std::string::npos);
  EXPECT_EQ(StepsText(PlanOf("x\n1\n2\n3\n", {.start = "1", .limit = 5}), 9), "p0,1");
  EXPECT_THROW(PlanOf("x\n1\n", {.start = "1"}), Error);
}

TEST(FeedPlan, ManyOutcomesAreSplit) {
  std::string csv = "t,y\n";
  for (int i = 0; i < 2'500; ++i) csv += "2020-01-01,1\n";
  const FeedPlan plan = PlanOf(csv, {.target = "y", .time = "t", .delay = "1h"});
  FeedSteps steps(plan.schedule(), 1'000'000);
  std::vector<size_t> sizes;
  for (FeedStep step; steps.Next(kNever, &step);) sizes.push_back(step.items.size());
  EXPECT_EQ(sizes, (std::vector<size_t>{2'500, 1'000, 1'000, 500}));
}

TEST(FeedPlan, WrongFlagsAreRefused) {
  const auto kind = [](const FeedRequest& request) { return ErrorOf([&] { PlanOf(kTimed, request); }).kind(); };
  EXPECT_EQ(kind({.target = "z"}), ErrorKind::kNotFound);
  EXPECT_EQ(kind({.time = "z"}), ErrorKind::kNotFound);
  EXPECT_EQ(kind({.time = "x"}), ErrorKind::kInput);
  EXPECT_EQ(kind({.target = "y", .outcome_time = "landed"}), ErrorKind::kUsage);
  EXPECT_EQ(kind({.target = "y", .delay = "1h"}), ErrorKind::kUsage);
  EXPECT_EQ(kind({.target = "y", .time = "t", .delay = "soon"}), ErrorKind::kUsage);
  EXPECT_EQ(kind({.target = "y", .time = "t", .outcome_time = "landed", .delay = "1h"}), ErrorKind::kUsage);
}

TEST(FeedReport, QuantilesAreWithinAPercent) {
  LatencyHistogram latency;
  EXPECT_TRUE(std::isnan(latency.Quantile(0.5)));
  for (int i = 1; i <= 1000; ++i) latency.Add(i * 1e-3);
  EXPECT_NEAR(latency.Quantile(0.5), 0.5, 0.006);
  EXPECT_NEAR(latency.Quantile(0.99), 0.99, 0.011);
  latency.Add(0);
  latency.Add(1e9);
  EXPECT_NEAR(latency.Quantile(0.999), 1.0, 0.011);
}

TEST(FeedReport, ScoresLabelsAndNumbers) {
  AnswerScore labels;
  labels.AddLabel("a", "a");
  labels.AddLabel("1.0", "1");
  labels.AddLabel("b", "a");
  labels.AddLabel("0", "1");
  EXPECT_EQ(labels.value(), 0.5);
  EXPECT_STREQ(labels.name(), "accuracy");
  AnswerScore numbers;
  numbers.AddNumber(1, 4);
  numbers.AddNumber(1, -3);
  EXPECT_NEAR(numbers.value(), std::sqrt(12.5), 1e-12);
  EXPECT_STREQ(numbers.name(), "rmse");
}

}  // namespace
}  // namespace everlearn
