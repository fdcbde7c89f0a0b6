// Two-sample tests against SciPy 1.17 (ks_2samp, special.kolmogorov, chi2_contingency without correction, chi2.sf).
#include "statistics/two_samples.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace everlearn {
namespace {

const std::vector<double> kA = {12, 30, 45, 61, 40, 20, 8, 4}, kB = {20, 41, 50, 48, 22, 11, 5, 3};

TEST(TwoSamples, KolmogorovSmirnovIsSciPys) {
  const TwoSampleTest test = KolmogorovSmirnov(kA, kB);
  EXPECT_NEAR(test.statistic, 0.1595454545454546, 1e-14);
  EXPECT_NEAR(test.p, 0.008418210616625801, 1e-12);           // special.kolmogorov of the corrected distance
  EXPECT_NEAR(test.p, 0.008407521446903477, 0.002 * 0.0084);  // ks_2samp(method="asymp"), the distribution of finite samples
  EXPECT_NEAR(KolmogorovSmirnov(kA, kB, 4).p, 0.4820649559891223, 1e-12);
  EXPECT_EQ(KolmogorovSmirnov(kA, kA).p, 1);
  EXPECT_EQ(KolmogorovSmirnov(kA, std::vector<double>(8)).p, 1);
}

TEST(TwoSamples, ChiSquaredIsSciPys) {
  const TwoSampleTest test = ChiSquared(kA, kB);
  EXPECT_NEAR(test.statistic, 13.269424921564202, 1e-12);
  EXPECT_NEAR(test.p, 0.06580972858559568, 1e-12);
  EXPECT_NEAR(ChiSquared(kA, kB, 2).p, 0.46787733322544545, 1e-12);
  EXPECT_EQ(ChiSquared(kA, std::vector<double>(8)).p, 1);
  EXPECT_EQ(ChiSquared(std::vector<double>{5, 0}, std::vector<double>{9, 0}).p, 1);
}

TEST(TwoSamples, RareBinsAreTakenTogether) {
  const TwoSampleTest test =
      ChiSquared(std::vector<double>{12, 30, 45, 61, 40, 20, 4, 3, 1}, std::vector<double>{20, 41, 50, 48, 22, 11, 3, 1, 4});
  EXPECT_NEAR(test.statistic, 12.760042827479817, 1e-12);  // of the table whose last three columns are summed
  EXPECT_NEAR(test.p, 0.04700875010017505, 1e-12);
}

TEST(TwoSamples, ClumpingIsTheChiSquaredOfBlocksOverItsFreedom) {
  // chi2_contingency of four blocks of 30 rows: 22.916666666666664 at 6 degrees of freedom.
  EXPECT_NEAR(Clumping(std::vector<double>{734, 294, 450}, std::vector<double>{48, 32, 40}, 30), 22.916666666666664 / 6, 1e-12);
  EXPECT_EQ(Clumping(std::vector<double>{900, 0}, std::vector<double>{30, 0}, 30), 1);
}

// Rows that come in runs of ten equal ones: without the correction nearly every comparison of two equal sources is "significant".
TEST(TwoSamples, ClumpingCorrectsTheLevelForRowsThatComeInRuns) {
  constexpr size_t kBins = 8, kBlocks = 20, kBlockRows = 500, kRun = 10, kTrials = 400;
  int plain = 0, corrected = 0;
  for (uint64_t trial = 0; trial < kTrials; ++trial) {
    Random random(trial + 1);
    std::vector<double> reference(kBins), squares(kBins), recent(kBins);
    for (size_t block = 0; block < kBlocks; ++block) {
      std::vector<double> counts(kBins);
      for (size_t i = 0; i < kBlockRows / kRun; ++i) counts[random.Below(kBins)] += kRun;
      for (size_t k = 0; k < kBins; ++k) reference[k] += counts[k], squares[k] += counts[k] * counts[k];
    }
    for (size_t i = 0; i < 500; ++i) recent[random.Below(kBins)] += kRun;
    plain += ChiSquared(reference, recent).p < 0.05;
    corrected += ChiSquared(reference, recent, Clumping(squares, reference, kBlockRows)).p < 0.05;
  }
  EXPECT_GT(plain, 0.9 * kTrials);
  EXPECT_LT(corrected, 0.09 * kTrials);
  EXPECT_GT(corrected, 0.01 * kTrials);
}

}  // namespace
}  // namespace everlearn
