// Bins: bounds are midpoints, codes and bounds agree, frequent values stand alone, bins hold about equally many rows.
#include "learner/binned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>

#include "base/random.h"
#include "learner/dataset.h"

namespace everlearn {
namespace {

// The only column of a table that stays alive.
const BinnedColumn& Kept(BinnedTable table) {
  static std::list<BinnedTable> tables;
  return tables.emplace_back(std::move(table)).columns[0];
}

const BinnedColumn& BinNumbers(const std::vector<double>& values, uint32_t max_bins, size_t fit_rows = 0) {
  return Kept(BinRows({values.data(), values.size(), 1}, {false}, {0}, fit_rows, max_bins));
}

TEST(Binned, FewValuesHaveOneBinEachWithMidpointBounds) {
  const BinnedColumn column = BinNumbers({3, 1, kMissing, 1, 8}, 255);
  EXPECT_EQ(column.bins, 3u);
  EXPECT_EQ(column.upper, (std::vector<double>{2, 5.5, std::numeric_limits<double>::infinity()}));
  EXPECT_EQ(std::vector<uint8_t>(column.codes8.begin(), column.codes8.end()), (std::vector<uint8_t>{1, 0, 3, 0, 2}));
}

TEST(Binned, ThresholdOnCodesIsThresholdOnValues) {
  Random random(7);
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) values.push_back(std::round(random.Normal() * 1000) / 7);
  const BinnedColumn column = BinNumbers(values, 64);
  EXPECT_LE(column.bins, 64u);
  EXPECT_GE(column.bins, 60u);
  for (size_t i = 0; i < values.size(); ++i) {
    for (uint32_t b = 0; b < column.bins; ++b) EXPECT_EQ(column.code(i) <= b, values[i] <= column.upper[b]);
  }
}

TEST(Binned, BinsHoldAboutEquallyManyRows) {
  Random random(3);
  std::vector<double> values(10'000);
  for (double& value : values) value = std::exp(3 * random.Normal());
  const BinnedColumn column = BinNumbers(values, 100);
  std::vector<int> counts(column.bins);
  for (size_t i = 0; i < values.size(); ++i) ++counts[column.code(i)];
  EXPECT_EQ(column.bins, 100u);
  EXPECT_GE(*std::min_element(counts.begin(), counts.end()), 90);
  EXPECT_LE(*std::max_element(counts.begin(), counts.end()), 110);
}

TEST(Binned, FrequentValueStandsAlone) {
  Random random(5);
  std::vector<double> values(10'000);
  for (double& value : values) value = random.Uniform() < 0.6 ? 0.0 : random.Normal();
  const BinnedColumn column = BinNumbers(values, 50);
  const uint32_t zero = static_cast<uint32_t>(std::lower_bound(column.upper.begin(), column.upper.end(), 0.0) - column.upper.begin());
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::fabs(values[i]) < 0.01) continue;
    EXPECT_EQ(column.code(i) > zero, values[i] > 0) << values[i];
  }
  EXPECT_GE(column.bins, 45u);
}

TEST(Binned, ManyBinsUseWideCodesAndExtremesStayInside) {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> values{-infinity, infinity, std::numeric_limits<double>::max(), -std::numeric_limits<double>::max()};
  for (int i = 0; i < 300; ++i) values.push_back(i);
  const BinnedColumn column = BinNumbers(values, 1000);
  EXPECT_EQ(column.bins, 304u);
  EXPECT_TRUE(column.codes8.empty());
  EXPECT_EQ(column.code(0), 0u);
  EXPECT_EQ(column.code(1), 303u);
}

TEST(Binned, FittedOnTheFirstRowsOnly) {
  const BinnedColumn column = BinNumbers({1, 2, 100, 200, 300}, 255, 2);
  EXPECT_EQ(column.bins, 2u);
  EXPECT_EQ(std::vector<uint8_t>(column.codes8.begin(), column.codes8.end()), (std::vector<uint8_t>{0, 1, 1, 1, 1}));
}

TEST(Binned, AllMissingIsOneEmptyBin) {
  const BinnedColumn column = BinNumbers({kMissing, kMissing}, 255);
  EXPECT_EQ(column.bins, 1u);
  EXPECT_EQ(std::vector<uint8_t>(column.codes8.begin(), column.codes8.end()), (std::vector<uint8_t>{1, 1}));
}

TEST(Binned, UnseenCategoryIsMissing) {
  const std::vector<double> values{0, 2, 3, kMissing};
  const BinnedColumn& column = Kept(BinRows({values.data(), 4, 1}, {true}, {3}, 0));
  EXPECT_EQ(std::vector<uint8_t>(column.codes8.begin(), column.codes8.end()), (std::vector<uint8_t>{0, 2, 3, 3}));
}

TEST(Dataset, BinsOnceAndHonoursFirstRows) {
  Dataset data({false}, {0}, {1, 2, 3, 4}, {0, 1, 0, 1}, {}, 2);
  data.FitBinsOnFirst(3);
  EXPECT_EQ(data.binned().columns[0].bins, 3u);
  EXPECT_EQ(&data.binned(), &data.binned());
  EXPECT_EQ(data.weight(2), 1.0);
}

}  // namespace
}  // namespace everlearn
