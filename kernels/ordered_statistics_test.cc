// Ordered statistics against sums worked out by hand and by definition.
#include "kernels/ordered_statistics.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(OrderedStatistics, NumbersKeysInAscendingOrder) {
  std::vector<uint32_t> groups;
  EXPECT_EQ(NumberKeys(std::vector<uint64_t>{40, 7, 40, 1000}, &groups), (std::vector<uint64_t>{7, 40, 1000}));
  EXPECT_EQ(groups, (std::vector<uint32_t>{1, 0, 1, 2}));
}

// Rows a a b a b with targets 1 0 1 1 0, seen in the order 3 0 4 1 2: a row knows of its group's rows before it alone.
TEST(OrderedStatistics, TinyTableByHand) {
  const std::vector<uint32_t> groups{0, 0, 1, 0, 1}, order{3, 0, 4, 1, 2};
  const std::vector<float> target{1, 0, 1, 1, 0};
  std::vector<GroupSum> totals, before(5);
  OrderedSums(groups, 2, order, {}, target, &totals, before);
  const double prior = 0.6, strength = 1;
  EXPECT_DOUBLE_EQ(before[3].Mean(prior, strength), 0.6);            // the first of a: (0 + 0.6) / (0 + 1)
  EXPECT_DOUBLE_EQ(before[0].Mean(prior, strength), (1 + 0.6) / 2);  // after row 3
  EXPECT_DOUBLE_EQ(before[4].Mean(prior, strength), 0.6);            // the first of b
  EXPECT_DOUBLE_EQ(before[1].Mean(prior, strength), (2 + 0.6) / 3);  // after rows 3 and 0
  EXPECT_DOUBLE_EQ(before[2].Mean(prior, strength), (0 + 0.6) / 2);  // after row 4
  EXPECT_DOUBLE_EQ(totals[0].Mean(prior, strength), (2 + 0.6) / 4);
  EXPECT_DOUBLE_EQ(totals[1].Mean(prior, 3), (1 + 1.8) / 5);
}

TEST(OrderedStatistics, WeightsCountAsRows) {
  std::vector<GroupSum> totals, before(2);
  OrderedSums(std::vector<uint32_t>{0, 0}, 1, std::vector<uint32_t>{1, 0}, std::vector<float>{1, 3}, std::vector<float>{0, 1}, &totals,
              before);
  EXPECT_DOUBLE_EQ(before[0].Mean(0.5, 1), 3.5 / 4);
  EXPECT_DOUBLE_EQ(totals[0].Mean(0.5, 1), 3.5 / 5);
}

TEST(OrderedStatistics, OwnTargetDoesNotMatterToARow) {
  constexpr size_t kRows = 200;
  Random random(1);
  std::vector<uint32_t> groups(kRows), order(kRows);
  std::vector<float> target(kRows);
  std::iota(order.begin(), order.end(), 0u);
  random.Shuffle(std::span(order));
  for (size_t i = 0; i < kRows; ++i) {
    groups[i] = static_cast<uint32_t>(random.Below(7));
    target[i] = static_cast<float>(random.Normal());
  }
  std::vector<GroupSum> totals, before(kRows), changed(kRows);
  OrderedSums(groups, 7, order, {}, target, &totals, before);
  for (size_t at = 0; at < kRows; ++at) {
    const uint32_t row = order[at];
    double sum = 0, count = 0;
    for (size_t earlier = 0; earlier < at; ++earlier) {
      if (groups[order[earlier]] != groups[row]) continue;
      sum += static_cast<double>(target[order[earlier]]);
      count += 1;
    }
    EXPECT_NEAR(before[row].sum, sum, 1e-9);
    EXPECT_EQ(before[row].weight, count);
  }
}

TEST(OrderedStatistics, BoundsCutIntoEqualShares) {
  std::vector<double> values;
  for (int i = 99; i >= 0; --i) values.push_back(i);
  EXPECT_EQ(EqualShareBounds(&values, 4), (std::vector<double>{24.5, 49.5, 74.5}));
  std::vector<double> few{2, 1, 1, 1, 1, 1, 1, 2, 1};
  const std::vector<double> bounds = EqualShareBounds(&few, 16);
  EXPECT_EQ(bounds, std::vector<double>{1.5});
  EXPECT_EQ(CodeOf(bounds, 1.5), 0);
  EXPECT_EQ(CodeOf(bounds, 1.6), 1);
  std::vector<double> same(5, 3.0), none;
  EXPECT_TRUE(EqualShareBounds(&same, 16).empty());
  EXPECT_TRUE(EqualShareBounds(&none, 16).empty());
}

}  // namespace
}  // namespace everlearn
