// Tests of Platt scaling: finds the line that made the data (against the closed form), leaves true probabilities alone, follows a change.
#include "statistics/platt_scaling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

double Logistic(double z) { return 1 / (1 + std::exp(-z)); }

// Outcomes whose true log-odds are slope × stated ones + offset.
void Feed(PlattScaling* scaling, double slope, double offset, int rows, uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < rows; ++i) {
    const double z = 2 * random.Normal() - 1;
    scaling->Add(Logistic(z), random.Uniform() < Logistic(slope * z + offset));
  }
}

void ExpectLine(const PlattScaling& scaling, double slope, double offset, double tolerance) {
  for (const double z : {-3.0, -1.0, 0.0, 1.0, 2.0}) EXPECT_NEAR(scaling.Of(Logistic(z)), Logistic(slope * z + offset), tolerance) << z;
}

TEST(PlattScaling, BeginsAsTheIdentity) { ExpectLine(PlattScaling(), 1, 0, 1e-12); }

TEST(PlattScaling, LeavesTrueProbabilitiesAlone) {
  PlattScaling scaling;
  Feed(&scaling, 1, 0, 20'000, 1);
  ExpectLine(scaling, 1, 0, 0.02);
}

TEST(PlattScaling, FindsTheLineAndFollowsItsChange) {
  PlattScaling scaling;
  Feed(&scaling, 0.4, 0.7, 20'000, 2);
  ExpectLine(scaling, 0.4, 0.7, 0.03);
  Feed(&scaling, 1.5, -0.5, 30'000, 3);
  ExpectLine(scaling, 1.5, -0.5, 0.04);
}

TEST(PlattScaling, StaysFiniteOnTheAbsurd) {
  PlattScaling scaling;
  for (int i = 0; i < 10'000; ++i) scaling.Add(i % 2, i % 3 == 0);
  for (const double p : {0.0, 0.5, 1.0}) EXPECT_NEAR(scaling.Of(p), 1.0 / 3, 0.05);
  ByteWriter out;
  scaling.Save(&out);
  ByteReader in(out.bytes());
  PlattScaling loaded;
  loaded.Load(&in);
  EXPECT_EQ(loaded.Of(0.3), scaling.Of(0.3));
}

}  // namespace
}  // namespace everlearn
