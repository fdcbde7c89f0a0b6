// Tests of the e-detector: by hand, its exact mean over all fair sequences, and the time between false alarms by simulation.
#include "statistics/e_detector.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(EDetector, EqualsHandComputedValues) {
  EDetector detector;
  EXPECT_EQ(detector.Value(), 0);
  double sum = 0, squares = 0;
  for (const double bet : kBetSizes) sum += bet / kBets, squares += bet * bet / kBets;
  detector.Add(1);
  EXPECT_NEAR(detector.Value(), 1 + sum, 1e-15);
  detector.Add(-1);  // mean of (2 + λ)(1 − λ)
  EXPECT_NEAR(detector.Value(), 2 - sum - squares, 1e-15);
  EXPECT_EQ(detector.rows(), 2u);
  detector.Reset();
  EXPECT_EQ(detector.Value(), 0);
  EXPECT_EQ(detector.rows(), 0u);
}

TEST(EDetector, HasTheNumberOfRowsAsMeanOverAllFairSequences) {
  const int rows = 12;
  double total = 0;
  for (int path = 0; path < 1 << rows; ++path) {
    EDetector detector;
    for (int row = 0; row < rows; ++row) detector.Add((path >> row) & 1 ? 1 : -1);
    total += detector.Value();
  }
  EXPECT_NEAR(total / (1 << rows), rows, 1e-10);
}

TEST(EDetector, RaisesFalseAlarmsAsSeldomAsAsked) {
  const double asked = 1000;
  for (const double disagree : {1.0, 0.1}) {
    double total = 0;
    const int runs = 400;
    for (int run = 0; run < runs; ++run) {
      Random random = Random::Derive(21, run);
      EDetector detector;
      while (detector.Value() < asked && detector.rows() < 20000) {
        detector.Add(random.Uniform() < disagree ? random.Uniform() < 0.5 ? 1 : -1 : 0);
      }
      total += static_cast<double>(detector.rows());  // cut at 20,000 rows, which makes the mean smaller
    }
    EXPECT_GE(total / runs, asked);
  }
}

TEST(EDetector, NoticesAChange) {
  Random random(2);
  EDetector detector;
  for (int row = 0; row < 1000; ++row) detector.Add(random.Uniform() < 0.1 ? random.Uniform() < 0.4 ? 1 : -1 : 0);
  ASSERT_LT(detector.Value(), 10000);
  while (detector.Value() < 10000 && detector.rows() < 5000) detector.Add(random.Uniform() < 0.1 ? random.Uniform() < 0.8 ? 1 : -1 : 0);
  EXPECT_LT(detector.rows(), 1500u);
}

TEST(EDetector, NeverOverflowsAndComesBack) {
  EDetector detector;
  for (int row = 0; row < 5000; ++row) detector.Add(1);
  EXPECT_TRUE(std::isfinite(detector.Value()));
  for (int row = 0; row < 200000; ++row) detector.Add(-1);
  double least = 0;  // the fixed point of M = (M + 1)(1 − λ)
  for (const double bet : kBetSizes) least += (1 - bet) / bet / kBets;
  EXPECT_NEAR(detector.Value(), least, 1e-9 * least);
}

TEST(EDetector, ContinuesBitForBitAfterLoading) {
  Random random(4);
  EDetector detector, loaded;
  for (int row = 0; row < 500; ++row) detector.Add(2 * random.Uniform() - 1);
  ByteWriter out;
  detector.Save(&out);
  ByteReader in(out.bytes());
  loaded.Load(&in);
  EXPECT_TRUE(in.done());
  EXPECT_EQ(loaded.rows(), detector.rows());
  for (int row = 0; row < 500; ++row) {
    const double x = 2 * random.Uniform() - 1;
    detector.Add(x), loaded.Add(x);
    ASSERT_EQ(detector.Value(), loaded.Value());
  }
}

}  // namespace
}  // namespace everlearn
