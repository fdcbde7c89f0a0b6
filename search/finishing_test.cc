// Tests of what is made of out-of-fold predictions: the parts fit together, and the report says what holds.
#include "search/finishing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "evaluation/metric.h"
#include "model/constant.h"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Data {
  Task task;
  std::vector<double> truth, predictions;
  std::shared_ptr<const Model> model;
  Finished Finish(const FinishingOptions& options) const { return everlearn::Finish(model, task, truth, predictions, {}, options); }
};

// Log-odds that are stated twice as large as they are; class "yes" is seldom.
Data Classes(const std::string& metric) {
  Data data;
  data.task.kind = TaskKind::kBinary;
  data.task.metric = metric;
  data.task.labels = {"no", "yes"};
  data.model = MakeConstantModel(1, {0.1, 0.9});
  Random random(1);
  for (int i = 0; i < 6'000; ++i) {
    const double z = random.Normal() - 1.5, p = 1 / (1 + std::exp(-2 * z));
    data.truth.push_back(random.Uniform() < 1 / (1 + std::exp(-z)) ? 1 : 0);
    data.predictions.insert(data.predictions.end(), {1 - p, p});
  }
  data.predictions[0] = data.predictions[1] = kNaN;
  return data;
}

TEST(Finish, CalibratesThenDecidesThenCovers) {
  const Data data = Classes("f1");
  const Finished finished = data.Finish({.coverage = 0.9, .seed = 1});
  EXPECT_EQ(finished.model->kind(), "calibrated");
  double row = 0, out[2];
  finished.model->PredictRow(&row, out);
  EXPECT_NEAR(out[1], 0.75, 0.03);  // odds 9 were meant to be 3
  ASSERT_EQ(finished.decision.size(), 2);
  EXPECT_GT(finished.decision[1], finished.decision[0]);
  EXPECT_EQ(finished.intervals.coverage(), 0.9);
  EXPECT_NEAR(finished.report.at("coverage").at("measured").as_double(), 0.9, 0.02);
  EXPECT_GE(finished.report.at("coverage").at("labels").as_double(), 1);
  EXPECT_NE(finished.report.at("calibration").as_string(), "none");
  EXPECT_TRUE(std::isnan(finished.predictions[0]));
}

TEST(Finish, TakesTheCostsThatAreGiven) {
  const Finished finished = Classes("f1").Finish({.decision = {1, 7}, .calibrate = false});
  EXPECT_EQ(finished.decision, (std::vector<double>{1, 7}));
  EXPECT_EQ(finished.model->kind(), "constant");
  EXPECT_EQ(finished.report.at("decision").at("yes").as_double(), 7);
  EXPECT_FALSE(finished.report.contains("coverage"));
  EXPECT_TRUE(finished.intervals);
  EXPECT_TRUE(Classes("log_loss").Finish({}).decision.empty());
}

TEST(Finish, CoversValues) {
  Data data;
  data.task.metric = "rmse";
  data.model = MakeConstantModel(1, {3});
  Random random(2);
  for (int i = 0; i < 5'000; ++i) {
    data.predictions.push_back(random.Normal());
    data.truth.push_back(data.predictions.back() + random.Normal());
  }
  const Finished finished = data.Finish({.coverage = 0.8});
  EXPECT_EQ(finished.model, data.model);
  const JsonObject& coverage = finished.report.at("coverage").as_object();
  EXPECT_EQ(coverage.at("asked").as_double(), 0.8);
  EXPECT_NEAR(coverage.at("measured").as_double(), 0.8, 0.02);
  EXPECT_NEAR(coverage.at("width").as_double(), 2 * 1.2816, 0.15);
  EXPECT_FALSE(finished.report.contains("calibration"));
}

TEST(Finish, IsLeftAloneWithoutPredictions) {
  Data data = Classes("f1");
  data.predictions.clear();
  const Finished finished = data.Finish({.decision = {1, 2}, .coverage = 0.9});
  EXPECT_EQ(finished.model, data.model);
  EXPECT_FALSE(finished.intervals);
  EXPECT_EQ(finished.decision.size(), 2);
}

}  // namespace
}  // namespace everlearn
