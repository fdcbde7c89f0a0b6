// Tests of the figures' text: names, escapes, and a histogram that adds up.
#include "server/service_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace everlearn {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ServiceMetrics, CountersAreThereFromTheStartAndEscaped) {
  ServiceMetrics metrics("1.2");
  metrics.AddTask("late");
  metrics.AddEvent("late", "pro\"mo\\ted\n");
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("everlearn_build_info{version=\"1.2\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("everlearn_predictions_total{task=\"late\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("everlearn_outcomes_total{task=\"late\",status=\"early\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("kind=\"pro\\\"mo\\\\ted\\n\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("everlearn_drift{")));
}

TEST(ServiceMetrics, TheHistogramIsCumulative) {
  ServiceMetrics metrics;
  for (const double seconds : {0.00005, 0.0001, 0.003, 100.0}) metrics.AddPredictions("t", 2, seconds);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("everlearn_predictions_total{task=\"t\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("everlearn_prediction_seconds_bucket{le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("everlearn_prediction_seconds_bucket{le=\"0.005\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("everlearn_prediction_seconds_bucket{le=\"10\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("everlearn_prediction_seconds_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("everlearn_prediction_seconds_count 4\n"));
}

TEST(ServiceMetrics, ModelsAreReplaced) {
  ServiceMetrics metrics;
  metrics.SetModels("t", {{"a", "champion"}});
  metrics.SetModels("t", {{"b", "champion"}, {"a", "challenger"}});
  EXPECT_THAT(metrics.Render(), HasSubstr("everlearn_model_info{task=\"t\",model=\"a\",role=\"challenger\"} 1\n"));
  EXPECT_THAT(metrics.Render(), Not(HasSubstr("model=\"a\",role=\"champion\"")));
}

TEST(ServiceMetrics, TheColumnsOfADriftAreReplaced) {
  ServiceMetrics metrics;
  metrics.SetDrifts("t", {{"a", 0.5}, {"b", 0.25}});
  metrics.SetDrifts("t", {{"c", 0.125}});
  metrics.SetEstimatedLoss("t", 0.75);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("everlearn_drift{task=\"t\",column=\"c\"} 0.125\n"));
  EXPECT_THAT(text, Not(HasSubstr("column=\"a\"")));
  EXPECT_THAT(text, HasSubstr("everlearn_estimated_loss{task=\"t\"} 0.75\n"));
}

TEST(ServiceMetrics, ManyThreadsCountTogether) {
  ServiceMetrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) metrics.AddPredictions("t", 1, 0.001);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Render(), HasSubstr("everlearn_predictions_total{task=\"t\"} 4000\n"));
}

}  // namespace
}  // namespace everlearn
