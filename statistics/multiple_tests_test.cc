// Holm by hand, as in his paper's procedure; Cauchy combination against SciPy 1.17 (stats.cauchy.sf of the mean tangent); and the level
// both keep under simulation.
#include "statistics/multiple_tests.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(MultipleTests, Holm) {
  const std::vector<double> adjusted = HolmAdjusted({0.01, 0.04, 0.03, 0.005, 0.5});
  const std::vector<double> expected = {0.04, 0.09, 0.09, 0.025, 0.5};
  ASSERT_EQ(adjusted.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-15);
  EXPECT_TRUE(HolmAdjusted({}).empty());
  EXPECT_EQ(HolmAdjusted({0.8, 0.9}), (std::vector<double>{1, 1}));
}

TEST(MultipleTests, CauchyIsSciPys) {
  EXPECT_NEAR(CauchyCombination({0.01, 0.04, 0.03, 0.005, 0.5}), 0.013955445425476037, 1e-15);
  EXPECT_NEAR(CauchyCombination({1e-20, 0.5, 0.9}), 3e-20, 1e-32);
  EXPECT_NEAR(CauchyCombination({0.3}), 0.3, 1e-15);
  EXPECT_EQ(CauchyCombination({}), 1);
  EXPECT_NEAR(CauchyCombination({1, 1}), 0.99, 1e-9);
  EXPECT_NEAR(CauchyCombination({1e-6, 1}), 2e-6, 1e-9);
  EXPECT_LT(CauchyCombination({0, 1}), 1e-250);
}

TEST(MultipleTests, TheLevelIsKept) {
  constexpr int kTrials = 20'000;
  Random random(5);
  int holm = 0, cauchy = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> p(20);
    for (double& value : p) value = random.Uniform();
    const std::vector<double> adjusted = HolmAdjusted(p);
    holm += *std::min_element(adjusted.begin(), adjusted.end()) <= 0.01;
    cauchy += CauchyCombination(p) <= 0.01;
  }
  EXPECT_NEAR(holm, 0.01 * kTrials, 60);  // four deviations
  EXPECT_NEAR(cauchy, 0.01 * kTrials, 60);
}

}  // namespace
}  // namespace everlearn
