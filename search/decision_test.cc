// Tests of decisions against what is known of the best threshold: half the best F1 (Lipton, Elkan & Naryanaswamy 2014), the share of class
// 1 for balanced accuracy, none for accuracy of true probabilities.
#include "search/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

struct Rows {
  std::vector<double> truth, predictions;
  size_t classes;
  double Value(const std::string& metric, std::span<const double> decision) const {
    return Metrics().Get(metric).compute({truth, predictions, classes, {}, decision});
  }
  std::vector<double> Tune(const std::string& metric) const {
    return TuneDecision(Metrics().Get(metric), truth, predictions, {}, classes, 1);
  }
};

// True probabilities of two classes; class 1 is seldom.
Rows Binary(size_t count, uint64_t seed) {
  Rows rows{{}, {}, 2};
  Random random(seed);
  for (size_t i = 0; i < count; ++i) {
    const double p = 1 / (1 + std::exp(2.5 - 1.5 * random.Normal()));
    rows.predictions.insert(rows.predictions.end(), {1 - p, p});
    rows.truth.push_back(random.Uniform() < p ? 1 : 0);
  }
  return rows;
}

// Three classes with shares of about 0.8, 0.15 and 0.05.
Rows Multiclass(size_t count, uint64_t seed) {
  Rows rows{{}, {}, 3};
  Random random(seed);
  for (size_t i = 0; i < count; ++i) {
    double p[3] = {std::exp(3 + random.Normal()), std::exp(1 + random.Normal()), std::exp(random.Normal())};
    const double sum = p[0] + p[1] + p[2];
    for (const double value : p) rows.predictions.push_back(value / sum);
    const double u = random.Uniform() * sum;
    rows.truth.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
  }
  return rows;
}

double Threshold(const std::vector<double>& decision) { return decision[0] / (decision[0] + decision[1]); }

TEST(TuneDecision, FindsTheKnownThresholds) {
  const Rows rows = Binary(20'000, 1), fresh = Binary(200'000, 2);
  const std::vector<double> f1 = rows.Tune("f1"), balanced = rows.Tune("balanced_accuracy");
  ASSERT_EQ(f1.size(), 2);
  EXPECT_NEAR(Threshold(f1), fresh.Value("f1", f1) / 2, 0.03);
  double share = 0;
  for (const double truth : fresh.truth) share += truth / static_cast<double>(fresh.truth.size());
  ASSERT_EQ(balanced.size(), 2);
  EXPECT_NEAR(Threshold(balanced), share, 0.03);
  EXPECT_GT(fresh.Value("balanced_accuracy", balanced), fresh.Value("balanced_accuracy", {}) + 0.1);
  for (const std::string metric : {"mcc", "kappa"}) {
    const std::vector<double> tuned = rows.Tune(metric);
    EXPECT_GT(fresh.Value(metric, tuned), fresh.Value(metric, {}) + 0.02) << metric;
  }
}

TEST(TuneDecision, LeavesWhatCannotBeBettered) {
  int kept = 0;
  for (uint64_t seed = 10; seed < 20; ++seed) kept += Binary(5'000, seed).Tune("accuracy").empty() ? 1 : 0;
  EXPECT_GE(kept, 8);  // a threshold by chance is rare, and then as good as a half
  const Rows rows = Binary(5'000, 3);
  for (const std::string metric : {"log_loss", "auc", "brier", "average_precision"}) EXPECT_TRUE(rows.Tune(metric).empty()) << metric;
  EXPECT_TRUE(Binary(10, 4).Tune("f1").empty());
}

TEST(TuneDecision, WeighsSeveralClasses) {
  const Rows rows = Multiclass(10'000, 5), fresh = Multiclass(100'000, 6);
  const std::vector<double> decision = rows.Tune("balanced_accuracy");
  ASSERT_EQ(decision.size(), 3);
  EXPECT_NEAR(std::log(decision[0]) + std::log(decision[1]) + std::log(decision[2]), 0, 1e-9);
  // The best weights are proportional to 1 / share.
  std::vector<double> best(3, 0.0);
  for (const double truth : fresh.truth) best[static_cast<size_t>(truth)] += 1;
  for (double& weight : best) weight = 1 / weight;
  EXPECT_GT(fresh.Value("balanced_accuracy", decision), fresh.Value("balanced_accuracy", best) - 0.01);
  EXPECT_GT(fresh.Value("balanced_accuracy", decision), fresh.Value("balanced_accuracy", {}) + 0.1);
}

TEST(TuneDecision, KnowsWhichMeasuresLookAtTheClass) {
  for (const std::string metric : {"accuracy", "balanced_accuracy", "f1", "mcc", "kappa"})
    EXPECT_TRUE(DependsOnDecision(Metrics().Get(metric))) << metric;
  for (const std::string metric : {"auc", "log_loss", "brier", "average_precision", "rmse"})
    EXPECT_FALSE(DependsOnDecision(Metrics().Get(metric))) << metric;
}

}  // namespace
}  // namespace everlearn
