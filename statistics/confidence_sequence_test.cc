// Tests of confidence sequences: values computed with NumPy from the papers' formulas, and coverage at all times by simulation.
#include "statistics/confidence_sequence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(BoundedMeanSequence, EqualsTheFormula) {
  BoundedMeanSequence empty(0, 3);
  EXPECT_EQ(empty.Get().value, 1.5);
  EXPECT_EQ(empty.Get().lower, 0);
  EXPECT_EQ(empty.Get().upper, 3);

  BoundedMeanSequence sequence;
  for (int i = 1; i <= 200; ++i) sequence.Add(0.5 * std::sin(i * i) + 0.1);
  EXPECT_NEAR(sequence.Get().value, 0.10442017211184784, 1e-13);
  EXPECT_NEAR(sequence.Get().upper - sequence.Get().value, 0.10827411126572063, 1e-13);
  EXPECT_NEAR(sequence.Get().value - sequence.Get().lower, 0.10827411126572063, 1e-13);

  BoundedMeanSequence other(0, 2, 0.01);
  for (int i = 0; i < 2000; ++i) other.Add(i % 4 == 0 ? 0.75 : 0.5);
  EXPECT_NEAR(other.Get().value, 0.5625, 1e-13);
  EXPECT_NEAR(other.Get().upper - other.Get().value, 0.013891015091192878, 1e-13);
}

TEST(BoundedMeanSequence, ClipsAndKeepsInsideTheRange) {
  BoundedMeanSequence sequence;
  sequence.Add(50);
  EXPECT_EQ(sequence.Get().value, 1);
  EXPECT_EQ(sequence.Get().lower, -1);
  EXPECT_EQ(sequence.Get().upper, 1);
  sequence.Add(std::nan(""));
  EXPECT_EQ(sequence.Get().value, 0.5);
}

// Share of runs in which the mean so far was outside at some row. `next` draws row i and adds its expectation to the second argument.
template <typename Sequence>
double Misses(const Sequence& empty, int rows, const std::function<double(Random*, int, double*)>& next) {
  const int runs = 1000;
  int missed = 0;
  for (int run = 0; run < runs; ++run) {
    Random random = Random::Derive(31, run);
    Sequence sequence = empty;
    double expected = 0;
    bool outside = false;
    for (int row = 0; row < rows && !outside; ++row) {
      sequence.Add(next(&random, row, &expected));
      if (row > 300 && row % 10 != 0) continue;
      const Interval interval = sequence.Get();
      outside = expected / (row + 1) < interval.lower || expected / (row + 1) > interval.upper;
    }
    missed += outside;
  }
  return static_cast<double>(missed) / runs;
}

TEST(BoundedMeanSequence, CoversAtAllTimes) {
  const auto fair = [](Random* random, int, double*) { return random->Uniform() < 0.5 ? 1.0 : -1.0; };
  const auto ties = [](Random* random, int, double*) { return random->Uniform() < 0.97 ? 0.0 : random->Uniform() < 0.5 ? 1.0 : -1.0; };
  const auto skewed = [](Random* random, int, double* sum) {
    *sum += -0.96;
    return random->Uniform() < 0.02 ? 1.0 : -1.0;
  };
  const auto drifting = [](Random* random, int row, double* sum) {
    const double mean = row % 2000 < 1000 ? -0.5 : 0.3;
    *sum += mean;
    return random->Uniform() < (1 + mean) / 2 ? 1.0 : -1.0;
  };
  for (const double alpha : {0.05, 0.3}) {
    const BoundedMeanSequence empty(-1, 1, alpha);
    const double allowed = alpha + 3 * std::sqrt(alpha / 1000);
    EXPECT_LE(Misses(empty, 5000, fair), allowed);
    EXPECT_LE(Misses(empty, 5000, ties), allowed);
    EXPECT_LE(Misses(empty, 5000, skewed), allowed);
    EXPECT_LE(Misses(empty, 5000, drifting), allowed);
  }
}

TEST(BoundedMeanSequence, NarrowsWithTheVariance) {
  Random random(7);
  BoundedMeanSequence sequence;
  for (int row = 0; row < 100000; ++row) sequence.Add(random.Uniform() < 0.9 ? 0 : random.Uniform() < 0.6 ? 1 : -1);
  // 1.96 standard errors of a fixed time are 0.00194; holding at all times may cost a factor 2.5.
  EXPECT_LT(sequence.Get().upper - sequence.Get().value, 0.00194 * 2.5);
  EXPECT_GT(sequence.Get().lower, 0);
}

TEST(AsymptoticMeanSequence, EqualsTheFormula) {
  AsymptoticMeanSequence sequence;
  sequence.Add(3);
  EXPECT_EQ(sequence.Get().value, 3);
  EXPECT_EQ(sequence.Get().lower, -std::numeric_limits<double>::infinity());
  sequence = AsymptoticMeanSequence();
  for (int i = 1; i <= 300; ++i) sequence.Add(100 * std::sin(i * i) + 7);
  EXPECT_NEAR(sequence.Get().value, 5.60580884872974, 1e-11);
  EXPECT_NEAR(sequence.Get().upper - sequence.Get().value, 14.15077511702229, 1e-11);
}

TEST(AsymptoticMeanSequence, CoversAtAllTimes) {
  const auto normal = [](Random* random, int, double*) { return 1000 * random->Normal(); };
  const auto ties = [](Random* random, int, double*) { return random->Uniform() < 0.9 ? 0.0 : random->Uniform() < 0.5 ? 1.0 : -1.0; };
  const auto exponential = [](Random* random, int, double* sum) {
    *sum += 1;
    return -std::log(1 - random->Uniform());
  };
  const AsymptoticMeanSequence empty;
  EXPECT_LE(Misses(empty, 10000, normal), 0.05);
  EXPECT_LE(Misses(empty, 10000, ties), 0.05);
  EXPECT_LE(Misses(empty, 10000, exponential), 0.05);
}

TEST(MeanSequences, ContinueBitForBitAfterLoading) {
  Random random(6);
  BoundedMeanSequence bounded(-2, 5, 0.1), loaded_bounded;
  AsymptoticMeanSequence asymptotic(0.1), loaded_asymptotic;
  for (int row = 0; row < 777; ++row) bounded.Add(random.Normal()), asymptotic.Add(random.Normal());
  ByteWriter out;
  bounded.Save(&out);
  asymptotic.Save(&out);
  ByteReader in(out.bytes());
  loaded_bounded.Load(&in);
  loaded_asymptotic.Load(&in);
  EXPECT_TRUE(in.done());
  for (int row = 0; row < 300; ++row) {
    const double x = random.Normal();
    bounded.Add(x), loaded_bounded.Add(x), asymptotic.Add(x), loaded_asymptotic.Add(x);
    ASSERT_EQ(bounded.Get().lower, loaded_bounded.Get().lower);
    ASSERT_EQ(bounded.Get().upper, loaded_bounded.Get().upper);
    ASSERT_EQ(asymptotic.Get().lower, loaded_asymptotic.Get().lower);
    ASSERT_EQ(asymptotic.rows(), loaded_asymptotic.rows());
  }
}

}  // namespace
}  // namespace everlearn
