// Tests of decisions: what is promoted and when, that nothing is where there is nothing, roll back and guard.
#include "loop/evidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "base/random.h"

namespace everlearn {
namespace {

// Members 1 … n of lineages 1 … n; the first is the champion.
Roster MakeRoster(size_t members) {
  Roster roster;
  for (uint32_t id = 1; id <= members; ++id) {
    Lineage lineage;
    lineage.id = id;
    lineage.newest = id;
    lineage.learner = "learner" + std::to_string(id);
    roster.lineages.push_back(lineage);
    Member& member = roster.members.emplace_back();
    member.id = member.lineage = id;
    member.name = lineage.learner;
  }
  roster.champion = 1;
  return roster;
}

// A member that predicts class 1 with this probability of being right.
using Accuracy = std::function<double(uint64_t row, uint32_t member)>;

struct Made {
  uint64_t row;
  Decision decision;
};

// Runs until the first decision or the end; outcomes come at once.
std::optional<Made> RunUntilDecision(Evidence* evidence, const Roster& roster, uint64_t rows, const Accuracy& accuracy, uint64_t seed,
                                     uint64_t first = 0) {
  Random random(seed);
  PendingRow row;
  for (uint64_t i = first; i < first + rows; ++i) {
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    row.row = row.informed = i;
    row.members.clear();
    row.predictions.clear();
    for (uint32_t m = 1; m <= roster.members.size(); ++m) {
      const bool right = random.Uniform() < accuracy(i, m);
      const double p = (truth == 1) == right ? 0.8 : 0.2;
      row.members.push_back(m);
      row.predictions.push_back(1 - p);
      row.predictions.push_back(p);
    }
    if (auto decision = evidence->Consume(row, truth, roster, i + 1)) return Made{i, *decision};
  }
  return std::nullopt;
}

TEST(Evidence, ABetterChallengerIsPromotedWithTheStatedNumbers) {
  const Roster roster = MakeRoster(3);
  Evidence evidence("accuracy", 2, {});
  evidence.OnChampion(roster, 0);
  const auto made = RunUntilDecision(
      &evidence, roster, 20'000, [](uint64_t, uint32_t m) { return m == 2   ? 0.8
                                                                   : m == 1 ? 0.7
                                                                            : 0.6; }, 1);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->decision.kind, "promoted");
  EXPECT_EQ(made->decision.champion, 1u);
  EXPECT_EQ(made->decision.challenger, 2u);
  const double j = NumberField(made->decision.numbers, "pair"), alpha = NumberField(made->decision.numbers, "alpha");
  EXPECT_NEAR(alpha, 6 * 0.05 / std::pow(std::numbers::pi * j, 2), 1e-15);
  EXPECT_GE(NumberField(made->decision.numbers, "evidence"), 1 / alpha);
  EXPECT_NEAR(NumberField(Field(made->decision.numbers, "gain"), "value"), 0.1, 0.06);
}

TEST(Evidence, EqualModelsAreSeldomPromoted) {
  int promoted = 0;
  constexpr int kRuns = 200;
  for (int run = 0; run < kRuns; ++run) {
    const Roster roster = MakeRoster(4);
    Evidence evidence("log_loss", 2, {});
    evidence.OnChampion(roster, 0);
    promoted += RunUntilDecision(
                    &evidence, roster, 5000, [](uint64_t, uint32_t) { return 0.7; }, 100 + static_cast<uint64_t>(run))
                    .has_value();
  }
  // At most 5% by the theory; 200 runs with 5% have at most 18 with probability 0.99.
  EXPECT_LE(promoted, 18);
}

TEST(Evidence, AMinimumGainHoldsBackSmallImprovements) {
  const Roster roster = MakeRoster(2);
  Evidence evidence("accuracy", 2, {.minimum_gain = 0.2});
  evidence.OnChampion(roster, 0);
  EXPECT_FALSE(RunUntilDecision(
                   &evidence, roster, 20'000, [](uint64_t, uint32_t m) { return m == 2 ? 0.75 : 0.7; }, 4)
                   .has_value());
}

TEST(Evidence, APromotedModelThatTurnsBadIsRolledBack) {
  Roster roster = MakeRoster(2);
  roster.champion = 2;
  roster.former = 1;
  roster.lineages[0].newest = 0;  // its lineage has gone on: it is no challenger, only the former champion
  Evidence evidence("accuracy", 2, {});
  evidence.OnChampion(roster, 0);
  const auto made = RunUntilDecision(
      &evidence, roster, 20'000, [](uint64_t row, uint32_t m) { return m == 1       ? 0.7
                                                                       : row < 2000 ? 0.75
                                                                                    : 0.4; }, 5);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->decision.kind, "rolled_back");
  EXPECT_EQ(made->decision.challenger, 1u);
  EXPECT_GE(made->row, 2000u);
  EXPECT_LE(made->row, 2600u);
}

TEST(Evidence, AChampionWorseThanABaselineIsReplaced) {
  Roster roster = MakeRoster(2);
  roster.lineages[1].baseline = true;
  Evidence evidence("accuracy", 2, {.error_rate = 1e-9});
  evidence.OnChampion(roster, 0);
  const auto made = RunUntilDecision(
      &evidence, roster, 20'000, [](uint64_t row, uint32_t m) { return m == 2       ? 0.6
                                                                       : row < 3000 ? 0.8
                                                                                    : 0.2; }, 6);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->decision.kind, "guarded");
  EXPECT_GE(made->row, 3000u);
  EXPECT_LE(made->row, 3300u);
}

TEST(Evidence, RegressionPromotesOnClippedDifferences) {
  const Roster roster = MakeRoster(2);
  Evidence evidence("rmse", 0, {});
  evidence.OnChampion(roster, 0);
  Random random(9);
  PendingRow row;
  row.members = {1, 2};
  std::optional<Decision> decision;
  for (uint64_t i = 0; i < 20'000 && !decision; ++i) {
    row.row = row.informed = i;
    row.predictions = {random.Normal(), 0.5 * random.Normal()};
    decision = evidence.Consume(row, 0.0, roster, i + 1);
  }
  ASSERT_TRUE(decision.has_value());
  EXPECT_EQ(decision->kind, "promoted");
  EXPECT_EQ(decision->challenger, 2u);
}

TEST(Evidence, PairsAreNumberedOverTheWholeLife) {
  Roster roster = MakeRoster(2);
  Evidence evidence("accuracy", 2, {});
  evidence.OnChampion(roster, 0);
  const auto better = [&](uint64_t, uint32_t m) { return m == roster.champion ? 0.6 : 0.8; };
  uint64_t row = 0;
  for (uint64_t change = 1; change <= 3; ++change) {
    const auto made = RunUntilDecision(&evidence, roster, 20'000, better, change, row);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(NumberField(made->decision.numbers, "pair"), static_cast<double>(change));
    roster.champion = made->decision.challenger;
    row = made->row + 1;
    evidence.OnChampion(roster, row);
  }
}

TEST(Evidence, SavedAndLoadedItDecidesEqually) {
  const Roster roster = MakeRoster(3);
  const auto accuracy = [](uint64_t, uint32_t m) { return m == 2 ? 0.74 : 0.7; };
  Evidence whole("log_loss", 2, {}), first("log_loss", 2, {}), second("log_loss", 2, {});
  whole.OnChampion(roster, 0);
  first.OnChampion(roster, 0);
  RunUntilDecision(&whole, roster, 500, accuracy, 1);
  RunUntilDecision(&first, roster, 500, accuracy, 1);
  ByteWriter out;
  first.Save(&out);
  ByteReader in(out.bytes());
  second.Load(&in);
  EXPECT_TRUE(in.done());
  const auto a = RunUntilDecision(&whole, roster, 30'000, accuracy, 2, 500);
  const auto b = RunUntilDecision(&second, roster, 30'000, accuracy, 2, 500);
  ASSERT_EQ(a.has_value(), b.has_value());
  if (a) {
    EXPECT_EQ(a->row, b->row);
    EXPECT_EQ(ToText(a->decision.numbers), ToText(b->decision.numbers));
  }
}

// Regression: two members with errors of this size; `spike` replaces the truth of one row.
std::optional<Made> RunRegression(Evidence* evidence, const Roster& roster, double champion_error, double rival_error, uint64_t rows,
                                  uint64_t spike_row, double spike) {
  Random random(9);
  PendingRow row;
  for (uint64_t i = 0; i < rows; ++i) {
    const double truth = random.Normal();
    row.row = row.informed = i;
    row.members = {1, 2};
    row.predictions = {truth + champion_error * random.Normal(), truth + rival_error * random.Normal()};
    if (auto decision = evidence->Consume(row, i == spike_row ? spike : truth, roster, i + 1)) return Made{i, *decision};
  }
  return std::nullopt;
}

TEST(Evidence, OneAbsurdOutcomeNeitherPromotesNorForbidsForEver) {
  const Roster roster = MakeRoster(2);
  for (const uint64_t spike_row : {uint64_t{50}, uint64_t{400}}) {
    for (const double spike : {1e6, -1e6, 1e160, 1.7e308}) {
      Evidence better("rmse", 0, {}), worse("rmse", 0, {});
      better.OnChampion(roster, 0);
      worse.OnChampion(roster, 0);
      const auto made = RunRegression(&better, roster, 0.3, 0.1, 20'000, spike_row, spike);
      ASSERT_TRUE(made.has_value()) << spike_row << " " << spike;
      EXPECT_EQ(made->decision.kind, "promoted");
      EXPECT_FALSE(RunRegression(&worse, roster, 0.1, 0.3, 20'000, spike_row, spike).has_value()) << spike_row << " " << spike;
    }
  }
}

TEST(Evidence, AGuardRemovesAChampionThatPredictsNoNumbers) {
  Roster roster = MakeRoster(2);
  roster.lineages[1].baseline = true;
  Evidence evidence("rmse", 0, {});
  evidence.OnChampion(roster, 0);
  const auto made = RunRegression(&evidence, roster, 1e200, 1, 5'000, 0, 0);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->decision.challenger, 2u);
}

}  // namespace
}  // namespace everlearn
