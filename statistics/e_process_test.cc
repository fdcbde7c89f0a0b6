// Tests of the betting e-process: by hand, against wealth kept apart for each start, and its error rate by simulation.
#include "statistics/e_process.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "base/random.h"

namespace everlearn {
namespace {

double StartWeight(int k) { return 6 / (std::numbers::pi * std::numbers::pi * k * k); }

// The definition itself: one logarithm of wealth a start and bet.
double LogValueByDefinition(const std::vector<double>& differences) {
  std::vector<double> logs;
  double waiting = 1;
  for (size_t start = 1, k = 1; start <= differences.size(); start *= 2, ++k) {
    waiting -= StartWeight(static_cast<int>(k));
    for (const double bet : kBetSizes) {
      double log_wealth = std::log(StartWeight(static_cast<int>(k)) / kBets);
      for (size_t row = start - 1; row < differences.size(); ++row) log_wealth += std::log1p(bet * differences[row]);
      logs.push_back(log_wealth);
    }
  }
  logs.push_back(std::log(waiting));
  const double largest = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - largest);
  return largest + std::log(sum);
}

TEST(EProcess, EqualsHandComputedValues) {
  EProcess process;
  EXPECT_EQ(process.Value(), 1);
  EXPECT_EQ(process.LogValue(), 0);
  double sum = 0, squares = 0;
  for (const double bet : kBetSizes) sum += bet, squares += bet * bet;
  process.Add(1);
  EXPECT_NEAR(process.Value(), 1 + StartWeight(1) * sum / kBets, 1e-15);
  process.Add(-1);
  EXPECT_NEAR(process.Value(), 1 - StartWeight(1) * squares / kBets - StartWeight(2) * sum / kBets, 1e-15);
  EXPECT_EQ(process.rows(), 2u);
}

TEST(EProcess, HasMeanOneOverAllFairSequences) {
  for (const double tie : {0.0, 1.0}) {
    const int outcomes = tie > 0 ? 3 : 2, rows = tie > 0 ? 7 : 11;
    double total = 0, count = std::pow(outcomes, rows);
    for (int path = 0; path < count; ++path) {
      EProcess process;
      for (int row = 0, digits = path; row < rows; ++row, digits /= outcomes) {
        process.Add(outcomes == 2 ? 2 * (digits % 2) - 1 : digits % 3 - 1);
      }
      total += process.Value();
    }
    EXPECT_NEAR(total / count, 1, 1e-13);
  }
}

TEST(EProcess, EqualsTheDefinitionOverLongSwings) {
  Random random(5);
  std::vector<double> differences;
  EProcess process;
  for (const double drift : {0.2, -0.9, 0.0, 0.95, -0.3, 0.6}) {
    for (int row = 0; row < 1500; ++row) {
      differences.push_back(random.Uniform() < 0.3 ? 0 : std::clamp(drift + random.Normal(), -1.0, 1.0));
      process.Add(differences.back());
    }
    const double expected = LogValueByDefinition(differences);
    EXPECT_NEAR(process.LogValue(), expected, 1e-9 * std::max(1.0, std::abs(expected)));
    if (expected < 700) {
      EXPECT_NEAR(process.Value() / std::exp(expected), 1, 1e-9);
    }
  }
}

TEST(EProcess, StaysExactWhereTheValueOverflows) {
  EProcess process;
  const int rows = 40000;
  for (int row = 0; row < rows; ++row) process.Add(1);
  double weight = 0;
  for (int k = 1; k <= 16; ++k) weight += StartWeight(k) * std::pow(1.9, -(std::ldexp(1.0, k - 1) - 1));
  EXPECT_NEAR(process.LogValue(), std::log(weight / kBets) + rows * std::log(1.9), 1e-6);  // 25,670
  EXPECT_EQ(process.Value(), std::numeric_limits<double>::infinity());
  for (int row = 0; row < 10 * rows; ++row) process.Add(-1);
  // Ruined but for the weight of the starts to come: the sum of 6/(π²k²) from k = 20 on.
  double waiting = 1;
  for (int k = 1; k <= 19; ++k) waiting -= StartWeight(k);
  EXPECT_NEAR(process.Value(), waiting, 1e-12);
}

TEST(EProcess, ClipsAndIgnoresWhatIsNoNumber) {
  EProcess process, other;
  for (const double x : {7.0, -3.0, std::nan(""), 0.5}) process.Add(x);
  for (const double x : {1.0, -1.0, 0.0, 0.5}) other.Add(x);
  EXPECT_EQ(process.Value(), other.Value());
}

TEST(EProcess, PassesOneOverAlphaSeldomUnderTheHypothesis) {
  const std::vector<std::function<double(Random*)>> hypotheses = {
      [](Random* random) { return random->Uniform() < 0.5 ? 1.0 : -1.0; },
      [](Random* random) { return random->Uniform() < 0.98  ? 0.0
                                  : random->Uniform() < 0.5 ? 1.0
                                                            : -1.0; },
      [](Random* random) { return random->Uniform() < 0.05 ? 1.0 : -1.0 / 19; },
      [](Random* random) { return random->Uniform() < 0.05 ? -1.0 : 1.0 / 19; },
      [](Random* random) { return 0.02 * random->Uniform() - 0.01; },
  };
  const int runs = 2000, rows = 3000;
  for (size_t h = 0; h < hypotheses.size(); ++h) {
    std::vector<double> largest(runs);
    for (int run = 0; run < runs; ++run) {
      Random random = Random::Derive(11 + h, run);
      EProcess process;
      for (int row = 0; row < rows; ++row) {
        process.Add(hypotheses[h](&random));
        largest[run] = std::max(largest[run], process.Value());
      }
    }
    for (const double alpha : {0.2, 0.05, 0.01}) {
      const auto passed = std::count_if(largest.begin(), largest.end(), [&](double value) { return value >= 1 / alpha; });
      EXPECT_LE(passed, alpha * runs + 3 * std::sqrt(alpha * runs)) << "hypothesis " << h << ", alpha " << alpha;
    }
  }
}

TEST(EProcess, ForgetsAnImmatureStart) {
  EProcess process;
  Random random(3);
  for (int row = 0; row < 4000; ++row) process.Add(random.Uniform() < 0.3 ? -1 : 0);
  EXPECT_LT(process.Value(), 1);
  int row = 0;
  while (process.Value() < 1000 && row < 6000) process.Add(random.Uniform() < 0.1 ? random.Uniform() < 0.7 ? 1 : -1 : 0), ++row;
  EXPECT_LT(row, 2500);  // one process from the first row on would need to win back 4,000 rows
}

TEST(EProcess, ContinuesBitForBitAfterLoading) {
  Random random(9);
  EProcess process;
  for (int row = 0; row < 3000; ++row) {
    if (row % 137 == 0) {
      ByteWriter out;
      process.Save(&out);
      EProcess loaded;
      ByteReader in(out.bytes());
      loaded.Load(&in);
      EXPECT_TRUE(in.done());
      EXPECT_EQ(loaded.LogValue(), process.LogValue());
      EXPECT_EQ(loaded.rows(), process.rows());
      EProcess original = process;
      for (int more = 0; more < 200; ++more) {
        const double x = 2 * random.Uniform() - 0.9;
        loaded.Add(x), original.Add(x);
        ASSERT_EQ(loaded.Value(), original.Value());
        ASSERT_EQ(loaded.LogValue(), original.LogValue());
      }
    }
    process.Add(row < 1500 ? random.Uniform() : -random.Uniform());
  }
  ByteReader cut(std::string_view("short"));
  EXPECT_THROW(process.Load(&cut), Error);
}

}  // namespace
}  // namespace everlearn
