// Tests of the blend: closed forms, and the regret bound of fixed share.
#include "loop/blend.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

PendingRow Row(std::vector<uint32_t> members, std::vector<double> predictions) {
  PendingRow row;
  row.members = std::move(members);
  row.predictions = std::move(predictions);
  return row;
}

TEST(Blend, OneStepIsBayesRuleThenTheShare) {
  Blend blend(2);
  blend.AddExpert(1);
  blend.AddExpert(2);
  const PendingRow row = Row({1, 2}, {0.9, 0.1, 0.4, 0.6});
  double out[2];
  ASSERT_TRUE(blend.Predict(row.members, row.predictions, out));
  EXPECT_DOUBLE_EQ(out[1], 0.35);
  blend.Learn(row, 1, 0);
  // Posterior 0.1 : 0.6, of which 0.002 is spread over the two.
  EXPECT_NEAR(blend.experts()[0].weights[0], 0.998 * (0.1 / 0.7) + 0.001, 1e-15);
  EXPECT_NEAR(blend.experts()[1].weights[0], 0.998 * (0.6 / 0.7) + 0.001, 1e-15);
}

TEST(Blend, NewAndReplacedExpertsKeepTheWeightsADistribution) {
  Blend blend(0);
  for (uint32_t member = 1; member <= 4; ++member) blend.AddExpert(member);
  for (const Blend::Expert& expert : blend.experts()) EXPECT_NEAR(expert.weights[0], 0.25, 1e-15);
  blend.ReplaceExpert(2, 9);
  double sum = 0;
  for (const Blend::Expert& expert : blend.experts()) sum += expert.weights[0];
  EXPECT_NEAR(sum, 1, 1e-15);
  EXPECT_FALSE(blend.HasExpert(2));
  EXPECT_TRUE(blend.HasExpert(9));
}

// One that joined late, or rests, neither gains nor loses by rows on which it said nothing.
TEST(Blend, SilentExpertsKeepTheirShare) {
  Blend blend(2);
  for (uint32_t member = 1; member <= 3; ++member) blend.AddExpert(member);
  Random random(11);
  for (int i = 0; i < 500; ++i) {
    const double a = 0.5 + 0.4 * random.Uniform(), b = 0.1 + 0.8 * random.Uniform();
    blend.Learn(Row({1, 2}, {1 - a, a, 1 - b, b}), random.Uniform() < a ? 1 : 0, 0);
  }
  for (const double weight : blend.experts()[2].weights) EXPECT_NEAR(weight, 1.0 / 3, 1e-9);
  EXPECT_GT(blend.experts()[0].weights[2], 0.5);
}

TEST(Blend, OneAbsurdOutcomeOrExpertDoesNotBlindIt) {
  Blend blend(0);
  blend.AddExpert(1);
  blend.AddExpert(2);
  blend.AddExpert(3);
  Random random(5);
  double out[1];
  double error = 0;
  for (int i = 0; i < 2000; ++i) {
    double truth = random.Normal();
    // The first is nearly right, the second far off, the third no number at all in between.
    const PendingRow row = Row({1, 2, 3}, {truth + 0.1 * random.Normal(), truth + 3, i % 100 == 50 ? NAN : truth + 3});
    ASSERT_TRUE(blend.Predict(row.members, row.predictions, out));
    ASSERT_TRUE(std::isfinite(out[0]));
    if (i >= 1200) error += std::abs(out[0] - truth);
    if (i == 100 || i == 1000) truth = i == 100 ? 1e6 : 1e200;
    blend.Learn(row, truth, 0);
  }
  EXPECT_LT(error / 800, 0.2);
}

TEST(Blend, WithoutAnyExpertOfTheRowThereIsNoPrediction) {
  Blend blend(2);
  blend.AddExpert(5);
  double out[2];
  EXPECT_FALSE(blend.Predict({1}, {0.5, 0.5}, out));
}

// Herbster & Warmuth 1998: the log-loss exceeds that of the best sequence of experts with k changes by at most
// (k+1) ln n + k ln(1/a) + (T−k−1) ln(1/(1−a)) with share a over n experts; the second layer adds ln N + T ln(1/(1−b)).
TEST(Blend, RegretAgainstTheBestChangingExpertIsBounded) {
  constexpr double kShare = 0.002;
  constexpr int kRows = 6000, kChanges = 2;
  Blend blend(2);
  blend.AddExpert(1);
  blend.AddExpert(2);
  blend.AddExpert(3);
  Random random(8);
  double mine = 0, best = 0;
  for (int t = 0; t < kRows; ++t) {
    const size_t good = static_cast<size_t>(t / 2000);
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    std::vector<double> predictions;
    for (size_t m = 0; m < 3; ++m) {
      const double right = m == good ? 0.9 : 0.3;
      predictions.push_back(truth == 0 ? right : 1 - right);
      predictions.push_back(truth == 0 ? 1 - right : right);
    }
    const PendingRow row = Row({1, 2, 3}, predictions);
    double out[2];
    ASSERT_TRUE(blend.Predict(row.members, row.predictions, out));
    mine -= std::log(out[static_cast<size_t>(truth)]);
    best -= std::log(0.9);
    blend.Learn(row, truth, 0);
  }
  const double bound = (kChanges + 1) * std::log(3) + kChanges * std::log(1 / kShare) +
                       (kRows - kChanges - 1) * std::log(1 / (1 - kShare)) + std::log(blend.shares().size()) +
                       kRows * std::log(1 / (1 - Blend::kPartyShare));
  EXPECT_LE(mine - best, bound);
  EXPECT_GT(blend.experts()[2].weights[0], 0.9);
}

// What no average of experts knows: how often the one that there is is right, who is overconfident.
TEST(Blend, PoolsCalibrate) {
  Blend blend(2);
  blend.AddExpert(1);
  Random random(3);
  double mine = 0, experts = 0;
  for (int t = 0; t < 8000; ++t) {
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const bool right = random.Uniform() < 0.7;
    const double p = right == (truth == 1) ? 0.98 : 0.02;
    const PendingRow row = Row({1}, {1 - p, p});
    double out[2];
    ASSERT_TRUE(blend.Predict(row.members, row.predictions, out));
    if (t >= 4000) {
      mine -= std::log(out[static_cast<size_t>(truth)]) / 4000;
      experts -= std::log(row.predictions[static_cast<size_t>(truth)]) / 4000;
    }
    blend.Learn(row, truth, 0);
  }
  const double best = -0.7 * std::log(0.7) - 0.3 * std::log(0.3);
  EXPECT_GT(experts, best + 0.4);
  EXPECT_LT(mine, best + 0.02);
}

// Under delay, experts that follow the last outcomes are right about what is known and wrong about what comes.
TEST(Blend, LateOutcomesDoNotMakeItFollowThePast) {
  Blend blend(2);
  blend.AddExpert(1);
  blend.AddExpert(2);
  Random random(7);
  constexpr int kRows = 20000, kDelay = 500;
  std::vector<PendingRow> rows;
  std::vector<double> truths;
  double mine = 0;
  for (int t = 0; t < kRows; ++t) {
    if (t >= kDelay) blend.Learn(rows[static_cast<size_t>(t - kDelay)], truths[static_cast<size_t>(t - kDelay)], kDelay);
    // Both are right in 60% of the rows, one in even runs of 500 rows, the other in odd ones.
    const size_t run = static_cast<size_t>(t / kDelay) % 2;
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const auto expert = [&](size_t which) {
      const double right = which == run ? 0.9 : 0.3;
      return random.Uniform() < right ? truth : 1 - truth;
    };
    const double a = 0.2 + 0.6 * expert(0), b = 0.2 + 0.6 * expert(1);
    rows.push_back(Row({1, 2}, {1 - a, a, 1 - b, b}));
    truths.push_back(truth);
    double out[2];
    ASSERT_TRUE(blend.Predict(rows.back().members, rows.back().predictions, out, &rows.back().parties));
    if (t >= kRows / 2) mine -= std::log(out[static_cast<size_t>(truth)]) / (kRows / 2);
  }
  EXPECT_LT(mine, std::log(2));
}

// After a change all that an expert had said for a delay's rows is wrong, though it has learnt by now.
TEST(Blend, LateOutcomesDoNotHideWhoHasLearnt) {
  Blend blend(2);
  blend.AddExpert(1);  // follows a change within 100 outcomes
  blend.AddExpert(2);  // knows nothing
  Random random(9);
  constexpr int kDelay = 1000, kChange = 5000, kRows = kChange + 2 * kDelay;
  std::vector<PendingRow> rows;
  std::vector<double> truths;
  int right = 0, counted = 0;
  for (int t = 0; t < kRows; ++t) {
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const auto says = [](double y, bool knows) { return (knows == (y == 1)) ? 0.9 : 0.1; };
    const double a = says(truth, t < kChange || t >= kChange + kDelay + 100);
    rows.push_back(Row({1, 2}, {1 - a, a, 0.5, 0.5}));
    truths.push_back(truth);
    double out[2];
    ASSERT_TRUE(blend.Predict(rows.back().members, rows.back().predictions, out, &rows.back().parties));
    if (t >= kChange + kDelay + 200) {
      ++counted;
      right += (out[1] > 0.5) == (truth == 1) ? 1 : 0;
    }
    if (t < kDelay) continue;
    const auto known = static_cast<size_t>(t - kDelay);
    const double now = says(truths[known], t - kDelay < kChange || t - kDelay >= kChange + 100);
    blend.Learn(rows[known], truths[known], kDelay, {1 - now, now, 0.5, 0.5});
  }
  EXPECT_GT(right, counted * 99 / 100);
}

// A world that turns round again and again: for a delay's rows after each change the experts are sure of what is wrong. What is learnt from
// these rows must not turn the blend against experts that know better by the time at which it is learnt.
TEST(Blend, LateOutcomesOfManyChangesDoNotTurnItAgainstItsExperts) {
  Blend blend(2);
  for (uint32_t member = 1; member <= 3; ++member) blend.AddExpert(member);
  Random random(10);
  constexpr int kDelay = 1000, kConcept = 5000, kRows = 4 * kConcept;
  std::vector<PendingRow> rows;
  std::vector<double> truths;
  int right = 0, counted = 0;
  // Two follow a change within 50 outcomes; the third knows nothing.
  const auto advice = [&](double truth, bool knows, double sure) {
    const double a = (knows == (truth == 1)) != (random.Uniform() < 0.02) ? sure : 1 - sure;
    const double b = (knows == (truth == 1)) != (random.Uniform() < 0.05) ? 0.9 : 0.1;
    return std::vector<double>{1 - a, a, 1 - b, b, 0.5, 0.5};
  };
  for (int t = 0; t < kRows; ++t) {
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const bool knows = t < kConcept || t % kConcept >= kDelay + 50;
    rows.push_back(Row({1, 2, 3}, advice(truth, knows, 0.999)));
    truths.push_back(truth);
    double out[2];
    ASSERT_TRUE(blend.Predict(rows.back().members, rows.back().predictions, out, &rows.back().parties));
    if (t > kDelay && knows) {
      ++counted;
      right += (out[1] > 0.5) == (truth == 1) ? 1 : 0;
    }
    if (t < kDelay) continue;
    const int past = t - kDelay;
    const auto known = static_cast<size_t>(past);
    blend.Learn(rows[known], truths[known], kDelay, advice(truths[known], past < kConcept || past % kConcept >= 50, 0.999));
  }
  EXPECT_GT(right, counted * 96 / 100);
}

TEST(Blend, SavedAndLoadedAfterLateOutcomesItGoesOnEqually) {
  Blend blend(2);
  blend.AddExpert(1);
  blend.AddExpert(9);
  const PendingRow row = Row({1, 9}, {0.2, 0.8, 0.7, 0.3});
  const auto step = [&](Blend* b, std::vector<double>* out) {
    PendingRow pending = row;
    out->resize(2);
    ASSERT_TRUE(b->Predict(row.members, row.predictions, out->data(), &pending.parties));
    b->Learn(pending, 1, 40, {0.4, 0.6, 0.6, 0.4});
  };
  std::vector<double> mine, copys;
  for (int i = 0; i < 20; ++i) step(&blend, &mine);
  ByteWriter out;
  blend.Save(&out);
  Blend copy(2);
  ByteReader in(out.bytes());
  copy.Load(&in);
  EXPECT_TRUE(in.done());
  for (int i = 0; i < 20; ++i) {
    step(&blend, &mine);
    step(&copy, &copys);
    ASSERT_EQ(mine, copys);
  }
}

TEST(Blend, RegressionFollowsTheBetterExpert) {
  Blend blend(0);
  blend.AddExpert(1);
  blend.AddExpert(2);
  Random random(2);
  for (int t = 0; t < 500; ++t) {
    const double truth = random.Normal();
    const PendingRow row = Row({1, 2}, {truth + 0.1 * random.Normal(), truth + 5});
    double out[1];
    ASSERT_TRUE(blend.Predict(row.members, row.predictions, out));
    blend.Learn(row, truth, 0);
  }
  EXPECT_GT(blend.experts()[0].weights[0], 0.99);
}

TEST(Blend, SavedAndLoadedItGoesOnEqually) {
  Blend blend(2);
  blend.AddExpert(1);
  blend.AddExpert(9);
  blend.Learn(Row({1, 9}, {0.2, 0.8, 0.7, 0.3}), 1, 0);
  ByteWriter out;
  blend.Save(&out);
  Blend copy(2);
  ByteReader in(out.bytes());
  copy.Load(&in);
  for (Blend* b : {&blend, &copy}) b->Learn(Row({1, 9}, {0.6, 0.4, 0.5, 0.5}), 0, 0);
  ASSERT_EQ(copy.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(copy.experts()[i].weights[0], blend.experts()[i].weights[0]);
}

// Numbers from a disk may be anything; a NaN among the weights would be in all that is served from then on.
TEST(Blend, RefusesDamagedNumbers) {
  const auto load = [](double variance, double rows, double share, double trust, double weight) {
    ByteWriter out;
    out.Put(variance);
    out.Put(rows);
    out.Put(false);
    out.PutAll(std::vector<double>{0.25, 0.25, 0.25, share});
    out.PutVarint(1);
    out.Put(uint32_t{1});
    out.Put(trust);
    for (int i = 0; i < 5; ++i) out.Put(1.0);
    out.Put(weight);
    ExpertPools pools(0);
    pools.AddExpert();
    pools.Save(&out);
    out.Put(0.5);  // share of the second blend
    ByteReader in(out.bytes());
    Blend(0).Load(&in);
    EXPECT_TRUE(in.done());
  };
  EXPECT_NO_THROW(load(4, 10, 0.25, 1, 1));
  for (const double bad : {-1.0, 1e300, double{NAN}, double{INFINITY}, -double{INFINITY}}) {
    if (bad != 1e300) {
      EXPECT_THROW(load(bad, 10, 0.25, 1, 1), Error) << bad;
    }
    EXPECT_THROW(load(4, bad, 0.25, 1, 1), Error) << bad;
    EXPECT_THROW(load(4, 10, bad, 1, 1), Error) << bad;
    EXPECT_THROW(load(4, 10, 0.25, bad, 1), Error) << bad;
    EXPECT_THROW(load(4, 10, 0.25, 1, bad), Error) << bad;
  }
}

}  // namespace
}  // namespace everlearn
