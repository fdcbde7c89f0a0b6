// Tests of the choice by hits and misses: closed forms of its beginning and first steps, whom it follows, silent and damaged voices.
#include "loop/expert_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

using Advice = std::vector<const double*>;

ExpertChoice WithExperts(size_t classes, size_t experts) {
  ExpertChoice choice(classes);
  for (size_t e = 0; e < experts; ++e) choice.AddExpert();
  return choice;
}

TEST(ExpertChoice, BeginsWithTwoFifthsOfWhatWasBlended) {
  const ExpertChoice choice = WithExperts(3, 2);
  const double blended[] = {0.2, 0.5, 0.3}, a[] = {0.9, 0.1, 0}, b[] = {0.1, 0.2, 0.7};
  double out[3], said[ExpertChoice::kSaid];
  choice.Predict(blended, Advice{a, b}, out, said);
  for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(out[c], 0.4 * blended[c] + 0.3 * a[c] + 0.3 * b[c], 1e-12);
  EXPECT_EQ(said[0], 1);
  for (size_t rate = 0; rate < 3; ++rate) EXPECT_EQ(said[1 + rate], 0);
  // Who is silent leaves its share to the others.
  choice.Predict(blended, Advice{a, nullptr}, out, said);
  for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(out[c], (0.4 * blended[c] + 0.3 * a[c]) / 0.7, 1e-12);
}

// What was blended, 0.4, and one of the experts, 0.3, are wrong: each loses the factor exp(−c / √((1 + delay) 50)) at the rate c.
TEST(ExpertChoice, OneStepIsHedging) {
  for (const double delay : {0.0, 99.0}) {
    ExpertChoice choice = WithExperts(2, 2);
    const double right[] = {0.1, 0.9}, wrong[] = {0.6, 0.4};
    const double said[] = {0, 1, 0, 0};
    choice.Learn(said, Advice{right, wrong}, 1, delay);
    double blend = 0, good = 0, bad = 0, all = 0;
    const double step = 1 / std::sqrt((1 + delay) * 50), back = 1e-4 / (1 + delay);
    for (size_t rate = 0; rate < 3; ++rate) all += said[1 + rate] == 1 ? 1 : std::exp(-8 * step);
    for (size_t rate = 0; rate < 3; ++rate) {
      const double penalty = std::exp(-ExpertChoice::kRates[rate] * step), sum = 0.3 + 0.7 * penalty;
      const double of_rate = (1 - back) * (said[1 + rate] == 1 ? 1 : std::exp(-8 * step)) / all + back / 3;
      blend += of_rate * ((1 - back) * 0.4 * penalty / sum + back * 0.4);
      good += of_rate * ((1 - back) * 0.3 / sum + back * 0.3);
      bad += of_rate * ((1 - back) * 0.3 * penalty / sum + back * 0.3);
    }
    EXPECT_NEAR(choice.BlendShare(), blend, 1e-12) << delay;
    EXPECT_NEAR(choice.Share(0), good, 1e-12) << delay;
    EXPECT_NEAR(choice.Share(1), bad, 1e-12) << delay;
    // The second step is shorter by the variance of the first one's misses, at each rate 0.7 · 0.3.
    ExpertChoice other = WithExperts(2, 2);
    const double all_right[] = {1, 1, 1, 1};
    other.Learn(all_right, Advice{right, wrong}, 1, delay);
    const double before = other.Share(0) / other.Share(1);
    other.Learn(all_right, Advice{right, wrong}, 1, delay);
    EXPECT_GT(other.Share(0) / other.Share(1), before);
    EXPECT_LT(other.Share(0) / other.Share(1), before * before);
  }
}

TEST(ExpertChoice, SilentVoicesKeepTheirShare) {
  ExpertChoice choice = WithExperts(2, 3);
  Random random(3);
  for (int t = 0; t < 300; ++t) {
    const double a[] = {0.3, 0.7}, b[] = {random.Uniform(), 0.5};
    const double said[] = {static_cast<double>(random.Below(2)), 0, 1, 0};
    choice.Learn(said, Advice{a, b, nullptr}, random.Uniform() < 0.8 ? 1 : 0, 10);
  }
  EXPECT_NEAR(choice.Share(2), 0.2, 1e-9);
  EXPECT_GT(choice.Share(0), choice.Share(1));
  EXPECT_NEAR(choice.Share(0) + choice.Share(1) + choice.Share(2) + choice.BlendShare(), 1, 1e-9);
}

TEST(ExpertChoice, LaterExpertsGetWhatTheyWouldHaveHadAtFirst) {
  ExpertChoice choice = WithExperts(2, 1);
  const double right[] = {0.1, 0.9};
  const double said[] = {0, 0, 0, 0};
  for (int t = 0; t < 100; ++t) choice.Learn(said, Advice{right}, 1, 0);
  const double before = choice.Share(0);
  choice.AddExpert();
  EXPECT_NEAR(choice.Share(1), 0.3, 1e-12);
  EXPECT_NEAR(choice.Share(0), 0.7 * before, 1e-12);
  EXPECT_NEAR(choice.Share(0) + choice.Share(1) + choice.BlendShare(), 1, 1e-9);
}

// Five voices of which one is right more often than the others, each for 4,000 rows, outcomes late: what is said is right nearly as often.
TEST(ExpertChoice, FollowsWhoIsRightOfLate) {
  constexpr int kDelay = 100, kConcept = 4000, kRows = 3 * kConcept;
  ExpertChoice choice = WithExperts(2, 4);
  Random random(6);
  struct Stored {
    double predictions[5][2];  // the blend's first
    double said[ExpertChoice::kSaid];
    double truth;
  };
  std::vector<Stored> rows(kRows);
  int hits = 0, counted = 0, of_best = 0;
  for (int t = 0; t < kRows; ++t) {
    Stored& row = rows[static_cast<size_t>(t)];
    row.truth = static_cast<double>(random.Below(2));
    const int best = 1 + t / kConcept;
    for (int v = 0; v < 5; ++v) {
      const bool right = random.Uniform() < (v == best ? 0.9 : 0.7);
      const size_t says = static_cast<size_t>(right ? row.truth : 1 - row.truth);
      // The best one is sure also where it is wrong: by its log-loss it is the worst.
      row.predictions[v][says] = v == best ? 0.9999 : 0.8;
      row.predictions[v][1 - says] = 1 - row.predictions[v][says];
      if (v == best && t % kConcept >= 1500) of_best += right ? 1 : 0;
    }
    double out[2];
    choice.Predict(row.predictions[0], Advice{row.predictions[1], row.predictions[2], row.predictions[3], row.predictions[4]}, out,
                   row.said);
    if (t % kConcept >= 1500) {
      ++counted;
      hits += (out[1] > out[0]) == (row.truth == 1) ? 1 : 0;
    }
    if (t < kDelay) continue;
    const Stored& known = rows[static_cast<size_t>(t - kDelay)];
    choice.Learn(known.said, Advice{known.predictions[1], known.predictions[2], known.predictions[3], known.predictions[4]}, known.truth,
                 kDelay);
  }
  EXPECT_GT(hits, of_best - counted / 100);
  EXPECT_GT(choice.Share(2), 0.9);
}

TEST(ExpertChoice, SavedAndLoadedItGoesOnEqually) {
  ExpertChoice choice = WithExperts(2, 2);
  const double a[] = {0.3, 0.7}, b[] = {0.8, 0.2}, said[] = {1, 0, 1, 1};
  for (int t = 0; t < 5; ++t) choice.Learn(said, Advice{a, b}, t % 2, 7);
  ByteWriter out;
  choice.Save(&out);
  ExpertChoice copy(2);
  ByteReader in(out.bytes());
  copy.Load(&in);
  EXPECT_TRUE(in.done());
  for (ExpertChoice* c : {&choice, &copy}) c->Learn(said, Advice{a, b}, 1, 7);
  for (size_t e = 0; e < 2; ++e) EXPECT_EQ(choice.Share(e), copy.Share(e));
  EXPECT_EQ(choice.BlendShare(), copy.BlendShare());
}

TEST(ExpertChoice, RefusesDamagedNumbers) {
  const auto load = [](double variance, double rate, double voice, size_t voices) {
    ByteWriter out;
    out.Put(variance);
    out.Put(std::array<double, 3>{0.5, 0.25, rate});
    out.PutAll(std::vector<std::array<double, 3>>(voices, {0.5, 0.5, voice}));
    ByteReader in(out.bytes());
    ExpertChoice(2).Load(&in);
  };
  EXPECT_NO_THROW(load(3, 0.25, 0.5, 2));
  EXPECT_THROW(load(3, 0.25, 0.5, 0), Error);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {-1.0, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(load(bad, 0.25, 0.5, 2), Error);
    EXPECT_THROW(load(3, bad, 0.5, 2), Error);
    EXPECT_THROW(load(3, 0.25, bad, 2), Error);
  }
  EXPECT_THROW(load(3, 0.25, 0, 2), Error);
}

}  // namespace
}  // namespace everlearn
