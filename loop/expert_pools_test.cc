// The pools against closed forms: they begin at the mix, one step of each is as written, silent experts stay, damaged states are refused.
#include "loop/expert_pools.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kSteps[] = {0.02, 0.002, 0.0002};

TEST(ExpertPools, BeginAtTheMix) {
  ExpertPools classes(3), numbers(0);
  for (int i = 0; i < 2; ++i) {
    classes.AddExpert();
    numbers.AddExpert();
  }
  ASSERT_EQ(classes.pools(), 3u);
  ASSERT_EQ(numbers.pools(), 1u);
  const double mix[] = {0.2, 0.5, 0.3}, a[] = {0.9, 0.05, 0.05}, b[] = {0.1, 0.1, 0.8};
  const double* experts[] = {a, b};
  double out[9];
  classes.Predict(mix, experts, out);
  for (size_t i = 0; i < 9; ++i) EXPECT_NEAR(out[i], mix[i % 3], 1e-12);
  numbers.Predict(mix, experts, out);
  EXPECT_EQ(out[0], mix[0]);
}

// The gradient of the log loss by the weight of an input is Σ (p_k − [k = truth]) ln q_k, by the bias p_k − [k = truth].
TEST(ExpertPools, OneStepIsDownTheGradient) {
  for (const double rate : {1.0, 0.25}) {
    ExpertPools pools(2);
    pools.AddExpert();
    const double mix[] = {0.4, 0.6}, expert[] = {0.1, 0.9};
    const double* experts[] = {expert};
    pools.Learn(mix, experts, 1, 0, rate);
    double out[6];
    pools.Predict(mix, experts, out);
    for (size_t pool = 0; pool < 3; ++pool) {
      const double step = rate * kSteps[pool];
      const auto moved = [&](const double* q) { return -step * (0.4 * std::log(q[0]) - 0.4 * std::log(q[1])); };
      const double of_mix = 1 + moved(mix), of_expert = moved(expert);
      const double log_odds = of_mix * std::log(mix[1] / mix[0]) + of_expert * std::log(expert[1] / expert[0]) + 2 * step * 0.4;
      EXPECT_NEAR(out[2 * pool + 1], 1 / (1 + std::exp(-log_odds)), 1e-12) << pool << ", rate " << rate;
    }
  }
}

// Of one row, error 2 and deviations 1 (the constant), d: weights = (x xᵀ + ridge)⁻¹ x y, which is x y / (ridge + |x|²).
TEST(ExpertPools, OneOutcomeOfNumbersIsRidgeRegression) {
  ExpertPools pools(0);
  pools.AddExpert();
  pools.AddExpert();
  const double mix[] = {5}, a[] = {6}, b[] = {3};
  const double* experts[] = {a, b};
  pools.Learn(mix, experts, 7, 1, 1);
  const double norm = 1 + 1 + 4, scale = 2 / (10 + norm);
  double out = 0;
  pools.Predict(mix, experts, &out);
  EXPECT_NEAR(out, 5 + scale * (1 + 1 + 4), 1e-12);
  const double* one[] = {a, nullptr};
  pools.Predict(mix, one, &out);
  EXPECT_NEAR(out, 5 + scale * (1 + 1), 1e-12);
}

// A mix that errs by what an expert deviates from it, and more: no average of the experts gets there.
TEST(ExpertPools, NumbersLearnWeightsBeyondAnAverage) {
  ExpertPools pools(0);
  pools.AddExpert();
  Random random(4);
  double late = 0;
  for (int t = 0; t < 4000; ++t) {
    const double mix = random.Normal(), deviation = random.Normal(), truth = mix + 1.8 * deviation + 0.5, expert = mix + deviation;
    const double* experts[] = {&expert};
    double out = 0;
    pools.Predict(&mix, experts, &out);
    if (t >= 3000) late = std::max(late, std::abs(out - truth));
    pools.Learn(&mix, experts, truth, 4, 1);
  }
  EXPECT_LT(late, 0.4);  // the ridge holds 4% back; the best average is 3 off
}

TEST(ExpertPools, TheSilentKeepTheirWeight) {
  ExpertPools pools(2), other(2);
  for (ExpertPools* p : {&pools, &other}) {
    p->AddExpert();
    p->AddExpert();
  }
  Random random(6);
  const double mix[] = {0.4, 0.6}, steady[] = {0.2, 0.8};
  double before[6], after[6];
  const double* loud[] = {nullptr, steady};
  const double* silent[] = {nullptr, nullptr};
  for (int t = 0; t < 100; ++t) pools.Learn(mix, loud, random.Uniform() < 0.8 ? 1 : 0, 0, 1);
  // As one who was never there, whatever comes: an expert that has not spoken says nothing beside the mix.
  pools.Predict(mix, loud, before);
  const double* both[] = {steady, steady};
  pools.Predict(mix, both, after);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(before[i], after[i]);
  other.Predict(mix, silent, after);
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(after[i], mix[i % 2], 1e-12);
}

TEST(ExpertPools, ANewExpertChangesNothingUntilItHasSpoken) {
  for (const size_t classes : {0, 2}) {
    ExpertPools pools(classes);
    pools.AddExpert();
    Random random(7);
    double mix[] = {0.3, 0.7}, expert[] = {0.1, 0.9}, stranger[] = {0.9, 0.1};
    const double* experts[] = {expert, stranger};
    for (int t = 0; t < 300; ++t) pools.Learn(mix, std::span(experts, 1), random.Uniform() < 0.6 ? 1 : 0, 1, 1);
    double before[6], after[6];
    pools.Predict(mix, std::span(experts, 1), before);
    pools.AddExpert();
    EXPECT_EQ(pools.experts(), 2u);
    pools.Predict(mix, experts, after);
    for (size_t i = 0; i < pools.pools() * std::max<size_t>(classes, 1); ++i) EXPECT_EQ(before[i], after[i]) << classes;
  }
}

TEST(ExpertPools, ImpossiblePredictionsAndOutcomesLeaveNumbersFinite) {
  ExpertPools classes(2), numbers(0);
  classes.AddExpert();
  numbers.AddExpert();
  const double mix[] = {0.5, 0.5}, sure[] = {1, 0}, huge[] = {1e300}, value[] = {1};
  const double* sures[] = {sure};
  const double* huges[] = {huge};
  double out[6];
  for (int t = 0; t < 5000; ++t) {
    classes.Learn(mix, sures, 1, 0, 1);  // certain, and always wrong
    numbers.Learn(value, huges, t % 2 == 0 ? 1e300 : -1e300, 1e-3, 1);
  }
  classes.Predict(mix, sures, out);
  for (size_t pool = 0; pool < 3; ++pool) {
    EXPECT_NEAR(out[2 * pool] + out[2 * pool + 1], 1, 1e-12);
    EXPECT_GT(out[2 * pool + 1], 0.5);  // the pool has turned it round
  }
  numbers.Predict(value, huges, out);
  EXPECT_TRUE(std::isfinite(out[0]));
}

TEST(ExpertPools, SavedAndLoadedTheyGoOnEqually) {
  for (const size_t classes : {0, 2}) {
    ExpertPools first(classes), second(classes);
    first.AddExpert();
    Random random(8);
    const auto learn = [&](ExpertPools* pools, double p, double truth) {
      const double mix[] = {0.5, 0.5}, expert[] = {1 - p, p};
      const double* experts[] = {expert};
      pools->Learn(mix, experts, truth, 1, 1);
    };
    for (int t = 0; t < 50; ++t) learn(&first, random.Uniform(), static_cast<double>(random.Below(2)));
    ByteWriter out;
    first.Save(&out);
    ByteReader in(out.bytes());
    second.Load(&in);
    EXPECT_TRUE(in.done());
    for (int t = 0; t < 50; ++t) {
      const double p = random.Uniform(), truth = static_cast<double>(random.Below(2));
      learn(&first, p, truth);
      learn(&second, p, truth);
    }
    ByteWriter a, b;
    first.Save(&a);
    second.Save(&b);
    EXPECT_EQ(a.bytes(), b.bytes());
  }
}

TEST(ExpertPools, RefuseDamagedStates) {
  const auto state = [](double weight, double bias, size_t weights) {
    ByteWriter out;
    out.PutVarint(1);
    std::vector<double> all(weights, 0.5);
    all[0] = weight;
    out.PutAll(all);
    out.PutAll(std::vector<double>(6, bias));
    out.PutAll(std::vector<double>());
    out.PutAll(std::vector<double>());
    return out.Take();
  };
  const auto load = [](const std::string& bytes) {
    ByteReader in(bytes);
    ExpertPools(2).Load(&in);
  };
  EXPECT_NO_THROW(load(state(1, 0, 6)));
  EXPECT_THROW(load(state(1, 0, 5)), Error);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(load(state(bad, 0, 6)), Error);
    EXPECT_THROW(load(state(1, bad, 6)), Error);
  }
}

}  // namespace
}  // namespace everlearn
