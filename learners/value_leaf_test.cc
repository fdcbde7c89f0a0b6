// Leaves of values: the split that lowers the variance most is found where it is, and what is stored is read back.
#include "learners/value_leaf.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

LearningValueLeaf Leaf(const std::vector<uint8_t>& is_category) {
  std::vector<uint32_t> columns;
  for (size_t j = 0; j < is_category.size(); ++j) columns.push_back(static_cast<uint32_t>(j));
  ValueLeaf first;
  first.weights.assign(is_category.size() + 1, 0.0);
  return LearningValueLeaf(first, 0, columns, is_category);
}

PreparedRow Row(std::vector<double> values) {
  PreparedRow row;
  row.scaled = values;
  for (double& x : row.scaled) x = x == x ? std::clamp(x, -3.0, 3.0) : 0;
  row.values = std::move(values);
  return row;
}

TEST(ValueLeaf, FindsTheStepAndItsMerit) {
  Random random(1);
  LearningValueLeaf leaf = Leaf({0, 0});
  for (int i = 0; i < 5000; ++i) {
    const double x = random.Uniform();
    leaf.Learn(Row({random.Normal(), x}), 1e6 + (x > 0.25 ? 10 : 0), 1, true);
  }
  const SplitSearch search = leaf.Search();
  EXPECT_EQ(search.best.feature, 1u);
  EXPECT_NEAR(search.best.threshold, 0.25, 0.03);
  EXPECT_NEAR(search.best.merit, 0.25 * 0.75 * 100, 2);
  double weights[2], means[2];
  leaf.Divide(search.best, weights, means);
  EXPECT_NEAR(weights[0] / 5000, 0.25, 0.03);
  EXPECT_NEAR(means[0], 1e6, 1);
  EXPECT_NEAR(means[1], 1e6 + 10, 1);
}

TEST(ValueLeaf, FindsTheCategoryAndWhereTheMissingBelong) {
  Random random(2);
  LearningValueLeaf leaf = Leaf({1});
  for (int i = 0; i < 3000; ++i) {
    const auto category = static_cast<double>(random.Below(5));
    const bool missing = category == 3 && i % 2 == 0;
    leaf.Learn(Row({missing ? std::numeric_limits<double>::quiet_NaN() : category}), category == 3 ? 5 : 0, 1, true);
  }
  const SplitSearch search = leaf.Search();
  EXPECT_EQ(search.best.threshold, 3);
  EXPECT_EQ(search.best.flags, StreamNode::kCategory | StreamNode::kMissingLeft);
  double weights[2], means[2];
  leaf.Divide(search.best, weights, means);
  EXPECT_NEAR(means[0], 5, 1e-9);
  EXPECT_NEAR(means[1], 0, 1e-9);
}

TEST(ValueLeaf, ALinearModelTakesOverWhereItIsNearer) {
  Random random(3);
  LearningValueLeaf leaf = Leaf({0, 0});
  double error = 0;
  for (int i = 0; i < 3000; ++i) {
    const PreparedRow row = Row({random.Normal(), random.Normal()});
    const double target = 3 + 2 * row.scaled[0] - row.scaled[1];
    if (i >= 2000) error += std::abs(PredictValue(leaf.shown, row.scaled.data()) - target) / 1000;
    leaf.Learn(row, target, 1, true);
  }
  EXPECT_TRUE(leaf.shown.linear);
  EXPECT_LT(error, 0.1);
}

TEST(ValueLeaf, WhereItMayNotGrowItLearnsWhatItHasRoomFor) {
  Random random(5);
  const std::vector<uint8_t> is_category{0, 1};
  const auto draw = [&](double categories) { return Row({random.Normal(), std::floor(categories * random.Uniform())}); };
  LearningValueLeaf leaf = Leaf(is_category);
  const size_t first = leaf.bytes();
  for (int i = 0; i < 500; ++i) leaf.Learn(draw(100), 7, 1, false);
  EXPECT_EQ(leaf.bytes(), first);
  EXPECT_TRUE(leaf.pure());
  EXPECT_NEAR(leaf.shown.mean, 7, 1e-9);
  // With room again it goes on, and its sums are those of the rows that its bins know.
  for (int i = 0; i < 2000; ++i) {
    const PreparedRow row = draw(4);
    leaf.Learn(row, row.values[1] == 2 ? 9 : 7, 1, true);
  }
  const size_t placed = leaf.bytes();
  for (int i = 0; i < 500; ++i) {
    const PreparedRow row = draw(100);
    leaf.Learn(row, row.values[1] == 2 ? 9 : 7, 1, false);
  }
  EXPECT_EQ(leaf.bytes(), placed);
  const SplitSearch search = leaf.Search();
  EXPECT_EQ(search.best.feature, 1u);
  EXPECT_EQ(search.best.threshold, 2);
  double weights[2], means[2];
  leaf.Divide(search.best, weights, means);
  EXPECT_NEAR(weights[0] + weights[1], 2549, 1);
  EXPECT_NEAR(means[0], 9, 0.1);
  EXPECT_NEAR(means[1], 7, 0.1);
  ByteWriter out;
  leaf.Save(&out);
  LearningValueLeaf loaded;
  ByteReader in(out.bytes());
  loaded.Load(&in, is_category);
  EXPECT_EQ(leaf.bytes(), loaded.bytes());
}

TEST(ValueLeaf, IsReadBackAsItWas) {
  for (const int rows : {20, 400}) {
    Random random(4);
    const std::vector<uint8_t> is_category{0, 1, 0};
    LearningValueLeaf leaf = Leaf(is_category);
    for (int i = 0; i < rows; ++i)
      leaf.Learn(Row({random.Normal(), static_cast<double>(random.Below(7)), random.Uniform()}), random.Normal(), 1 + random.Below(4),
                 true);
    ByteWriter out;
    leaf.Save(&out);
    LearningValueLeaf loaded;
    ByteReader in(out.bytes());
    loaded.Load(&in, is_category);
    EXPECT_TRUE(in.done());
    ByteWriter again;
    loaded.Save(&again);
    EXPECT_EQ(out.bytes(), again.bytes());
    EXPECT_EQ(leaf.bytes(), loaded.bytes());
    ByteReader columns(out.bytes());
    EXPECT_THROW(loaded.Load(&columns, {0, 0, 0}), Error);
  }
}

}  // namespace
}  // namespace everlearn
