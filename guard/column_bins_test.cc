// Tests of a column's bins: edges at quantiles, each of few values its own bin, frequent codes, missing values.
#include "guard/column_bins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

TEST(ColumnBins, EdgesLieAtQuantiles) {
  Random random(1);
  std::vector<double> values(2000);
  for (double& value : values) value = std::exp(random.Normal());
  const ColumnBins bins = ColumnBins::Fit(values, false);
  ASSERT_EQ(bins.used(), ColumnBins::kEdges);
  std::vector<size_t> counts(ColumnBins::kBins);
  for (const double value : values) ++counts[bins.Of(value)];
  for (size_t k = 0; k <= bins.used(); ++k) EXPECT_NEAR(static_cast<double>(counts[k]), 2000.0 / 64, 2) << k;
  EXPECT_EQ(bins.Of(-kInfinity), 0u);
  EXPECT_EQ(bins.Of(kInfinity), bins.used());
  EXPECT_EQ(bins.Of(kNan), ColumnBins::kMissingBin);
  for (size_t i = 1; i < 200; ++i) {
    std::sort(values.begin(), values.end());
    EXPECT_LE(bins.Of(values[i - 1]), bins.Of(values[i]));
  }
}

TEST(ColumnBins, FewValuesHaveABinEach) {
  const ColumnBins bins = ColumnBins::Fit(std::vector<double>{3, 1, kNan, 1, 7, 7, 7}, false);
  EXPECT_EQ(bins.used(), 3u);
  EXPECT_EQ(bins.Of(1), 0u);
  EXPECT_EQ(bins.Of(3), 1u);
  EXPECT_EQ(bins.Of(7), 2u);
  EXPECT_EQ(bins.Of(8), 3u);
}

TEST(ColumnBins, ACategoryKeepsItsFrequentCodes) {
  std::vector<double> codes;
  for (int code = 0; code < 100; ++code)
    for (int i = 0; i < (code % 2 == 0 ? 5 : 1); ++i) codes.push_back(code);  // 50 frequent ones, and 13 of the others
  const ColumnBins bins = ColumnBins::Fit(codes, true);
  ASSERT_EQ(bins.used(), ColumnBins::kEdges);
  for (int code = 0; code < 100; code += 2) EXPECT_LT(bins.Of(code), bins.used()) << code;
  EXPECT_EQ(bins.Of(99), bins.used()) << "among equally frequent codes the first ones have a bin";
  EXPECT_EQ(bins.Of(1e6), bins.used());
  EXPECT_EQ(bins.Of(kNan), ColumnBins::kMissingBin);
}

TEST(ColumnBins, IsSavedAndCheckedWhenLoaded) {
  const ColumnBins bins = ColumnBins::Fit(std::vector<double>{3, 1, 2}, false);
  ByteWriter out;
  bins.Save(&out);
  ByteReader in(out.bytes());
  ColumnBins loaded;
  loaded.Load(&in);
  for (const double value : {0.0, 1.0, 1.5, 2.0, 3.0, 9.0}) EXPECT_EQ(loaded.Of(value), bins.Of(value));
  ByteWriter wrong;
  wrong.Put(false);
  wrong.PutAll(std::vector<double>{2, 1});
  ByteReader damaged(wrong.bytes());
  EXPECT_THROW(loaded.Load(&damaged), Error);
}

}  // namespace
}  // namespace everlearn
