// What a candidate's loss becomes under a metric.
#include "search/aim.h"

#include <gtest/gtest.h>

#include "search/quick_search.h"

namespace everlearn {
namespace {

const bool registered = Learners().Add(
    "with_losses",
    LearnerInfo{.summary = "A learner of tests that has losses, but cannot be fitted.",
                .paper = "none",
                .parameters = {{.name = "loss", .type = ParameterType::kChoice, .choices = {"squared", "absolute", "huber", "quantile"}},
                               {.name = "quantile", .value = 0.5, .low = 0.01, .high = 0.99},
                               {.name = "trees", .type = ParameterType::kInteger, .value = 100, .low = 1, .high = 1000}},
                .regression = true});

struct Loss {
  std::string name;
  double level;
  bool operator==(const Loss&) const = default;
};

// Of the learner that was set so, aimed at the metric; "": at none.
Loss Aimed(const std::string& metric, const std::map<std::string, std::string>& settings) {
  Candidate candidate = DefaultCandidate("with_losses");
  candidate.parameters.Set("with_losses", "trees", "7");
  for (const auto& [name, value] : settings) candidate.parameters.Set("with_losses", name, value);
  TakeAim(metric, false, &candidate);
  EXPECT_EQ(candidate.parameters.Integer("trees"), 7);
  return {candidate.parameters.Choice("loss"), candidate.parameters.Number("quantile")};
}

TEST(Aim, TheMetricsOwnInPlaceOfTheDefault) {
  EXPECT_EQ(Aimed("rmse", {}), (Loss{"squared", 0.5}));
  EXPECT_EQ(Aimed("mae", {}), (Loss{"absolute", 0.5}));
  EXPECT_EQ(Aimed("pinball_90", {}), (Loss{"quantile", 0.9}));
}

TEST(Aim, WhatWasChosenOrIsNotThereStays) {
  EXPECT_EQ(Aimed("mae", {{"loss", "huber"}}), (Loss{"huber", 0.5}));
  EXPECT_EQ(Aimed("gamma_deviance", {}), (Loss{"squared", 0.5}));
}

TEST(Aim, TheQuantileOfAnotherMetricGoes) {
  const std::map<std::string, std::string> other{{"loss", "quantile"}, {"quantile", "0.1"}};
  EXPECT_EQ(Aimed("rmse", other), (Loss{"squared", 0.5}));
  EXPECT_EQ(Aimed("", other), (Loss{"squared", 0.5}));
  EXPECT_EQ(Aimed("mae", other), (Loss{"absolute", 0.5}));
  EXPECT_EQ(Aimed("pinball_75", other), (Loss{"quantile", 0.75}));
}

TEST(Aim, LearnersWithoutALossStayAsTheyAre) {
  Candidate candidate = DefaultCandidate("constant");
  const std::string before = ToText(candidate.parameters.ToJson());
  TakeAim("pinball_90", false, &candidate);
  EXPECT_EQ(ToText(candidate.parameters.ToJson()), before);
}

}  // namespace
}  // namespace everlearn
