// Tests of the blend: closed forms, and the regret bound of fixed share.
#include "loop/blend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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
  // Posterior 0.1 : 0.6, each and 0.0001, of which 0.002 is spread over the two.
  EXPECT_NEAR(blend.experts()[0].weights[0], 0.998 * (0.1001 / 0.7002) + 0.001, 1e-15);
  EXPECT_NEAR(blend.experts()[1].weights[0], 0.998 * (0.6001 / 0.7002) + 0.001, 1e-15);
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

constexpr size_t kExperts = 3;
using Losses = std::array<double, kExperts>;

double Loss(double probability) { return -std::log(probability + Blend::kLeastProbability); }

// What the best sequence of experts with so many changes loses.
double BestSequence(const std::vector<Losses>& losses, size_t changes) {
  std::vector<Losses> least(changes + 1, Losses{});  // so far, by changes and by the last expert
  for (const Losses& now : losses) {
    for (size_t c = changes + 1; c-- > 0;) {
      for (size_t e = 0; e < kExperts; ++e) {
        if (c > 0) least[c][e] = std::min(least[c][e], *std::min_element(least[c - 1].begin(), least[c - 1].end()));
        least[c][e] += now[e];
      }
    }
  }
  return *std::min_element(least[changes].begin(), least[changes].end());
}

// Herbster & Warmuth 1998: of the mix at rate 1, with share a over n experts; the second layer adds ln N + T ln(1/(1−b)).
double BoundOfMix(size_t rows, size_t changes) {
  const double share = Blend::kShares[0], k = static_cast<double>(changes);
  return (k + 1) * std::log(kExperts) + k * std::log(1 / share) + (static_cast<double>(rows) - k - 1) * std::log(1 / (1 - share));
}
double BoundOfBlend(size_t rows, size_t changes, size_t parties) {
  return BoundOfMix(rows, changes) + std::log(parties) + static_cast<double>(rows) * std::log(1 / (1 - Blend::kPartyShare));
}

struct Game {
  std::vector<Losses> experts;
  double mix = 0, blend = 0;  // lost by the first mix and by the whole
  size_t parties = 0;
};

// `says(row, expert)`: the probability of class 1; `outcome(row, of_mix, of_blend)`: what happens, after these were said of class 1.
template <typename Says, typename Outcome>
Game Play(size_t rows, Blend* blend, const Says& says, const Outcome& outcome) {
  Game game;
  for (uint32_t member = 1; member <= kExperts; ++member) blend->AddExpert(member);
  for (size_t t = 0; t < rows; ++t) {
    PendingRow row = Row({1, 2, 3}, {});
    for (size_t e = 0; e < kExperts; ++e) {
      const double p = says(t, e);
      row.predictions.insert(row.predictions.end(), {1 - p, p});
    }
    double out[2];
    EXPECT_TRUE(blend->Predict(row.members, row.predictions, out, &row.parties));
    const size_t truth = outcome(t, row.parties[1], out[1]);
    game.mix += Loss(row.parties[truth]);
    game.blend += Loss(out[truth]);
    Losses& lost = game.experts.emplace_back();
    for (size_t e = 0; e < kExperts; ++e) lost[e] = Loss(row.predictions[2 * e + truth]);
    blend->Learn(row, static_cast<double>(truth), 0);
  }
  game.parties = blend->shares().size();
  return game;
}

// The truth is drawn with the good expert's probability, so that nobody can lose less in the long run.
TEST(Blend, RegretAgainstTheBestChangingExpertIsBounded) {
  constexpr size_t kRows = 6000, kChanges = 2;
  Blend blend(2);
  Random random(8);
  double p = 0;  // of the row
  const auto says = [&](size_t t, size_t e) {
    if (e == 0) p = random.Uniform();
    return e == t / 2000 ? p : 0.5 + 0.4 * (random.Uniform() - 0.5);
  };
  const Game game = Play(kRows, &blend, says, [&](size_t, double, double) { return random.Uniform() < p ? 1 : 0; });
  double best = 0;
  for (size_t t = 0; t < kRows; ++t) best += game.experts[t][t / 2000];
  const double mix = BoundOfMix(kRows, kChanges), whole = BoundOfBlend(kRows, kChanges, game.parties);
  EXPECT_LE(game.mix - best, mix);
  EXPECT_LE(game.blend - best, whole);
  EXPECT_GT(game.mix - best, mix / 4);
  EXPECT_GT(game.blend - best, 0);
  EXPECT_GT(blend.experts()[2].weights[0], 0.5);
}

// Whatever experts say, sure and wrong ones among them, and whatever happens: what was held the less likely.
TEST(Blend, RegretIsBoundedAgainstAnAdversary) {
  constexpr size_t kRows = 1500;
  for (const bool against_mix : {true, false}) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      Blend blend(2);
      Random random(seed);
      constexpr double kSure[] = {1e-9, 1e-5, 0.03, 0.5, 0.8, 1 - 1e-6, 1};
      const auto says = [&](size_t t, size_t e) { return e == t / 300 % kExperts ? 0.5 : kSure[random.Below(std::size(kSure))]; };
      const auto unlikely = [&](size_t, double mix, double out) { return (against_mix ? mix : out) < 0.5 ? 1 : 0; };
      const Game game = Play(kRows, &blend, says, unlikely);
      for (const size_t changes : {0, 1, 4, 20}) {
        const double best = BestSequence(game.experts, changes);
        EXPECT_LE(game.mix - best, BoundOfMix(kRows, changes) + 1e-6) << seed << ' ' << changes;
        EXPECT_LE(game.blend - best, BoundOfBlend(kRows, changes, game.parties) + 1e-6) << seed << ' ' << changes;
      }
    }
  }
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
