// Tests of the greedy selection: closed forms of averages of independent errors, limits, and small tables that it must not fit.
#include "search/ensemble_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "evaluation/metric.h"
#include "search/mixture_loss.h"

namespace everlearn {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Table {
  std::vector<double> truth;
  size_t classes = 0;
  std::vector<std::vector<double>> predictions;
  std::vector<double> seconds;

  std::vector<SelectionCandidate> Candidates() const {
    std::vector<SelectionCandidate> candidates;
    for (size_t c = 0; c < predictions.size(); ++c) candidates.push_back({predictions[c], seconds.empty() ? 0 : seconds[c]});
    return candidates;
  }
  Selection Select(const std::string& metric, const SelectionOptions& options = {}) const {
    return SelectEnsemble(metric, truth, {}, classes, Candidates(), options);
  }
};

// Values with independent errors of these standard deviations.
Table Regression(size_t rows, const std::vector<double>& deviations, uint64_t seed) {
  Table table;
  Random random(seed);
  for (size_t i = 0; i < rows; ++i) table.truth.push_back(3 * random.Normal());
  for (const double deviation : deviations) {
    table.predictions.emplace_back();
    for (const double truth : table.truth) table.predictions.back().push_back(truth + deviation * random.Normal());
  }
  return table;
}

// Two classes by a logistic score, of which each candidate sees a noisy copy.
Table Binary(size_t rows, const std::vector<double>& deviations, uint64_t seed) {
  Table table;
  table.classes = 2;
  Random random(seed);
  std::vector<double> score(rows);
  for (double& s : score) {
    s = 2 * random.Normal();
    table.truth.push_back(random.Uniform() < 1 / (1 + std::exp(-s)) ? 1 : 0);
  }
  for (const double deviation : deviations) {
    table.predictions.emplace_back();
    for (const double s : score) {
      const double p = 1 / (1 + std::exp(-(s + deviation * random.Normal())));
      table.predictions.back().insert(table.predictions.back().end(), {1 - p, p});
    }
  }
  return table;
}

TEST(MixtureLoss, EqualsTheMetric) {
  const Table binary = Binary(3'001, {1.0}, 1);
  std::vector<uint32_t> rows(3'001);
  std::iota(rows.begin(), rows.end(), 0U);
  for (const std::string name : {"log_loss", "auc", "f1", "brier"}) {
    const MixtureLoss loss(name, 2, false);
    const double value = Metrics().Get(name).compute({binary.truth, binary.predictions[0], 2});
    const double of = loss.Of(loss.Gather(binary.predictions[0], binary.truth, rows), binary.truth, {});
    EXPECT_NEAR(of, name == "auc" ? 1 - value : name == "f1" ? -value : value, 1e-6) << name;
  }
  const Table regression = Regression(1'003, {1.0}, 2);
  rows.resize(1'003);
  for (const std::string name : {"rmse", "mae"}) {
    const MixtureLoss loss(name, 0, false);
    EXPECT_NEAR(loss.Of(loss.Gather(regression.predictions[0], regression.truth, rows), regression.truth, {}),
                Metrics().Get(name).compute({regression.truth, regression.predictions[0], 0}), 1e-12);
  }
  // Ties, and a probability of 0 where 1 was right.
  const std::vector<double> truth{0, 1, 1, 0, 1}, tied{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 0, 0, 1};
  const MixtureLoss area(std::string("auc"), 2, false), log_loss(std::string("log_loss"), 2, false);
  rows.resize(5);
  EXPECT_NEAR(area.Of(area.Gather(tied, truth, rows), truth, {}), 1 - Metrics().Get("auc").compute({truth, tied, 2}), 1e-12);
  const std::vector<double> sure{1, 0, 1, 0, 0, 1, 0, 1, 0, 1};
  EXPECT_NEAR(log_loss.Of(log_loss.Gather(sure, truth, rows), truth, {}), Metrics().Get("log_loss").compute({truth, sure, 2}), 1e-12);
}

TEST(EnsembleSelection, WeighsIndependentErrorsByTheirPrecision) {
  // The best weights are proportional to 1/σ²: 4, 1, and nearly nothing; the best error is √(1/(4 + 1 + 1/100)).
  const Table table = Regression(20'000, {0.5, 1, 10}, 3);
  const Selection selection = table.Select("rmse");
  EXPECT_THAT(selection.weights, ElementsAre(DoubleNear(0.8, 0.08), DoubleNear(0.2, 0.08), DoubleNear(0, 0.01)));
  EXPECT_NEAR(selection.value, std::sqrt(1 / 5.01), 0.01);
  EXPECT_EQ(selection.best_single, 0);
  EXPECT_NEAR(selection.single_value, 0.5, 0.01);
}

TEST(EnsembleSelection, AveragesEqualsDownToTheRootOfTheirNumber) {
  const Table table = Regression(20'000, std::vector<double>(8, 1.0), 4);
  EXPECT_NEAR(table.Select("rmse").value, 1 / std::sqrt(8), 0.02);
}

TEST(EnsembleSelection, HelpsEveryMeasure) {
  const Table table = Binary(6'000, {1.5, 1.5, 1.5, 4}, 5);
  for (const std::string name : {"log_loss", "auc", "accuracy", "brier", "mcc"}) {
    const Selection selection = table.Select(name);
    const double sign = Metrics().Get(name).higher_is_better ? 1 : -1;
    EXPECT_GT(sign * (selection.value - selection.single_value), 0.005) << name;
    EXPECT_NEAR(std::accumulate(selection.weights.begin(), selection.weights.end(), 0.0), 1, 1e-12);
    EXPECT_GE(selection.members(), 2) << name;
  }
}

TEST(EnsembleSelection, GivesTheBestAloneWhereTheOthersAreNoHelp) {
  // All candidates are one predictor with more and more common error: their mean is never better than the first.
  Table table = Regression(2'000, {0.5}, 6);
  for (const double scale : {1.5, 2.0, 3.0}) {
    std::vector<double> worse;
    for (size_t i = 0; i < table.truth.size(); ++i) worse.push_back(table.truth[i] + scale * (table.predictions[0][i] - table.truth[i]));
    table.predictions.push_back(worse);
  }
  EXPECT_THAT(table.Select("rmse").weights, ElementsAre(1, 0, 0, 0));
  const Table one = Regression(50, {1.0}, 7);
  EXPECT_THAT(one.Select("rmse").weights, ElementsAre(1));
}

TEST(EnsembleSelection, DoesNotFitASmallTable) {
  // A good candidate and forty of pure noise around the mean, 60 rows: what it selects must not be worse on new rows than the good one.
  double ratio = 0;
  constexpr int kTimes = 40;
  for (int time = 0; time < kTimes; ++time) {
    Random random(100 + time);
    Table table = Regression(10'060, {1.0}, 200 + time);
    for (int c = 0; c < 40; ++c) {
      table.predictions.emplace_back();
      for (size_t i = 0; i < table.truth.size(); ++i) table.predictions.back().push_back(2 * random.Normal());
    }
    Table small = table;
    small.truth.resize(60);
    for (auto& predictions : small.predictions) predictions.resize(60);
    const Selection selection = small.Select("rmse");
    double chosen = 0, good = 0;
    for (size_t i = 60; i < table.truth.size(); ++i) {
      double mixed = 0;
      for (size_t c = 0; c < table.predictions.size(); ++c) mixed += selection.weights[c] * table.predictions[c][i];
      chosen += (mixed - table.truth[i]) * (mixed - table.truth[i]);
      good += (table.predictions[0][i] - table.truth[i]) * (table.predictions[0][i] - table.truth[i]);
    }
    ratio += std::sqrt(chosen / good) / kTimes;
  }
  EXPECT_LT(ratio, 1.01);
}

TEST(EnsembleSelection, KeepsTheLimitOfTime) {
  Table table = Regression(3'000, {0.5, 0.6, 0.7, 0.8, 5}, 8);
  table.seconds = {6e-3, 4e-3, 3e-3, 3e-3, 1e-3};
  SelectionOptions options;
  for (const double limit : {10e-3, 7e-3, 3.5e-3}) {
    options.max_seconds_per_row = limit;
    const Selection selection = table.Select("rmse", options);
    double seconds = 0;
    for (size_t c = 0; c < table.seconds.size(); ++c) seconds += selection.weights[c] > 0 ? table.seconds[c] : 0;
    EXPECT_LE(seconds, limit);
    EXPECT_NEAR(std::accumulate(selection.weights.begin(), selection.weights.end(), 0.0), 1, 1e-12);
  }
  options.max_seconds_per_row = 1e-4;
  EXPECT_THAT(table.Select("rmse", options).weights, ElementsAre(0, 0, 0, 0, 1));
}

TEST(EnsembleSelection, ConsidersRowsThatAllHave) {
  Table table = Regression(1'000, {1, 1, 0.01}, 9);
  for (size_t i = 0; i < 50; ++i) table.predictions[0][i] = kNaN;
  for (size_t i = 300; i < 1'000; ++i) table.predictions[2][i] = kNaN;  // a stopped trial: it has too few rows to take part
  const Selection selection = table.Select("rmse");
  EXPECT_EQ(selection.weights[2], 0);
  EXPECT_EQ(selection.members(), 2);
  EXPECT_TRUE(std::isfinite(selection.value));
}

TEST(EnsembleSelection, IsEqualOnAnyNumberOfThreadsAndEndsWhenAsked) {
  const Table table = Binary(3'000, std::vector<double>(80, 2.0), 10);
  SelectionOptions options;
  const Selection one = table.Select("auc", options);
  options.threads = 4;
  EXPECT_EQ(one.weights, table.Select("auc", options).weights);
  int asked = 0;
  options.stop = [&] { return ++asked > 3; };
  EXPECT_THAT(table.Select("auc", options).members(), testing::AllOf(testing::Ge(1), testing::Le(4)));
}

TEST(EnsembleSelection, MeasuresWithWeights) {
  // Rows of weight 0 do not count: only there is the second candidate bad.
  Table table = Regression(2'000, {1, 0.5}, 11);
  std::vector<double> weights(2'000, 1.0);
  for (size_t i = 0; i < 1'000; ++i) {
    weights[i] = 0;
    table.predictions[1][i] += 100;
  }
  const Selection selection = SelectEnsemble("rmse", table.truth, weights, 0, table.Candidates(), {});
  EXPECT_THAT(selection.weights, ElementsAre(DoubleNear(0.2, 0.1), DoubleNear(0.8, 0.1)));
}

TEST(EnsembleSelection, RefusesWhatItCannotUse) {
  const Table none = Regression(10, {}, 1);
  EXPECT_THROW(none.Select("rmse"), Error);
  Table table = Regression(10, {1}, 1);
  EXPECT_THROW(table.Select("no_metric"), Error);
  table.predictions[0].pop_back();
  EXPECT_THROW(table.Select("rmse"), Error);
}

}  // namespace
}  // namespace everlearn
