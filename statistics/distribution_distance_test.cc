// Distances against SciPy 1.17 (stats.wasserstein_distance, spatial.distance.jensenshannon with base 2, stats.entropy).
#include "statistics/distribution_distance.h"

#include <gtest/gtest.h>

#include <vector>

namespace everlearn {
namespace {

const std::vector<double> kA = {12, 30, 45, 61, 40, 20, 8, 4}, kB = {20, 41, 50, 48, 22, 11, 5, 3};

TEST(DistributionDistance, WassersteinIsSciPys) {
  const std::vector<double> at_a = {0.5, 1, 2.5, 4, 7}, weights_a = {3, 1, 4, 1, 5};
  const std::vector<double> at_b = {1.5, 2.5, 3, 9.25}, weights_b = {2, 7, 1, 8};
  EXPECT_NEAR(WassersteinDistance({at_a, weights_a}, {at_b, weights_b}), 1.7380952380952381, 1e-14);
  const std::vector<double> at = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_NEAR(WassersteinDistance({at, kA}, {at, kB}), 0.5095454545454547, 1e-14);
  EXPECT_EQ(WassersteinDistance({at, kA}, {at, kA}), 0);
  EXPECT_EQ(WassersteinDistance({at, kA}, {{}, {}}), 0);
}

TEST(DistributionDistance, JensenShannonIsSciPys) {
  EXPECT_NEAR(JensenShannonDistance(kA, kB), 0.15182867102156491, 1e-14);
  EXPECT_EQ(JensenShannonDistance(kA, kA), 0);
  EXPECT_EQ(JensenShannonDistance(std::vector<double>{3, 0}, std::vector<double>{0, 9}), 1);
}

TEST(DistributionDistance, PopulationStabilityIsTheEntropyInBothDirections) {
  EXPECT_NEAR(PopulationStabilityIndex(kA, kB), 0.12347660702031237, 1e-14);
  EXPECT_EQ(PopulationStabilityIndex(kA, kA), 0);
}

}  // namespace
}  // namespace everlearn
