// Leaves of classes: the split found is where it is, its measure is the information gain, and what is stored is read back.
#include "learners/class_leaf.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

LearningClassLeaf Leaf(size_t classes, const std::vector<uint8_t>& is_category) {
  std::vector<uint32_t> columns;
  for (size_t j = 0; j < is_category.size(); ++j) columns.push_back(static_cast<uint32_t>(j));
  return LearningClassLeaf(std::vector<double>(classes, 0.0), columns, is_category);
}

TEST(ClassLeaf, FindsTheCategoryAndItsInformationGain) {
  LearningClassLeaf leaf = Leaf(2, {1, 1});
  // Category 2 of the first column: classes 6 and 2; the others 1 and 7 together. The second says nothing.
  const auto learn = [&leaf](double category, size_t target, int times) {
    for (int i = 0; i < times; ++i) {
      const double row[2] = {category, static_cast<double>(i % 2)};
      leaf.Learn(row, target, 1, -1, true);
    }
  };
  learn(2, 0, 6), learn(2, 1, 2), learn(0, 0, 1), learn(1, 1, 4), learn(0, 1, 3);
  const SplitSearch search = leaf.Search();
  EXPECT_EQ(search.best.feature, 0u);
  EXPECT_EQ(search.best.threshold, 2);
  EXPECT_EQ(search.best.flags & StreamNode::kCategory, StreamNode::kCategory);
  const auto entropy = [](double a, double b) { return -a / (a + b) * std::log2(a / (a + b)) - b / (a + b) * std::log2(b / (a + b)); };
  EXPECT_NEAR(search.best.merit, entropy(7, 9) - 0.5 * entropy(6, 2) - 0.5 * entropy(1, 7), 1e-6);
  EXPECT_LT(search.second, 0.1);
  std::vector<double> left, right;
  leaf.Divide(search.best, &left, &right);
  EXPECT_EQ(left, (std::vector<double>{6, 2}));
  EXPECT_EQ(right, (std::vector<double>{1, 7}));
}

TEST(ClassLeaf, FindsTheThresholdBetweenTwoClasses) {
  Random random(1);
  LearningClassLeaf leaf = Leaf(2, {0, 0});
  for (int i = 0; i < 2000; ++i) {
    const double row[2] = {random.Uniform(), random.Normal()};
    leaf.Learn(row, row[0] > 0.5 ? 1 : 0, 1, -1, true);
  }
  const SplitSearch search = leaf.Search();
  EXPECT_EQ(search.best.feature, 0u);
  EXPECT_NEAR(search.best.threshold, 0.5, 0.06);  // ten thresholds
  EXPECT_GT(search.best.merit, 0.7);
  EXPECT_LT(search.second, 0.05);
}

TEST(ClassLeaf, MissingRowsGoWhereTheirClassesAre) {
  Random random(2);
  LearningClassLeaf leaf = Leaf(2, {0});
  for (int i = 0; i < 2000; ++i) {
    const bool high = random.Uniform() < 0.5;
    const double row[1] = {i % 3 == 0 && high ? kMissing : (high ? 3 : 0) + random.Normal()};
    leaf.Learn(row, high ? 1 : 0, 1, -1, true);
  }
  const SplitSearch search = leaf.Search();
  EXPECT_EQ(search.best.flags & StreamNode::kMissingLeft, 0u);
  std::vector<double> left, right;
  leaf.Divide(search.best, &left, &right);
  EXPECT_GT(right[1], 0.8 * (left[1] + right[1]));
  EXPECT_NEAR(left[0] + left[1] + right[0] + right[1], 2000, 1e-6);
}

TEST(ClassLeaf, CategoriesComeAtAnyTime) {
  LearningClassLeaf leaf = Leaf(3, {1});
  for (int i = 0; i < 300; ++i) {
    const double row[1] = {static_cast<double>(i % (1 + i / 3))};
    const double slot[1] = {std::fmod(row[0], kCategorySlots)};
    leaf.Learn(slot, static_cast<size_t>(i % 3), 1, -1, true);
  }
  EXPECT_EQ(leaf.shown.counts[0].capacity, kCategorySlots == 128 ? 128u : 0u);
  double sum = 0;
  for (size_t s = 0; s < 3; ++s) sum += leaf.shown.counts[0].counts[s * leaf.shown.counts[0].stride()];
  EXPECT_EQ(sum, 300);
}

TEST(ClassLeaf, IsReadBackAsItWas) {
  Random random(3);
  const std::vector<uint8_t> is_category{0, 1, 0};
  LearningClassLeaf leaf = Leaf(4, is_category);
  for (int i = 0; i < 300; ++i) {
    const double row[3] = {random.Normal(), static_cast<double>(random.Below(9)), i % 5 == 0 ? kMissing : random.Uniform()};
    leaf.Learn(row, random.Below(3), 1 + random.Below(5), i % 2, true);
  }
  ByteWriter out;
  leaf.Save(&out);
  LearningClassLeaf loaded;
  ByteReader in(out.bytes());
  loaded.Load(&in, 4, is_category);
  EXPECT_TRUE(in.done());
  ByteWriter again;
  loaded.Save(&again);
  EXPECT_EQ(out.bytes(), again.bytes());
  EXPECT_EQ(leaf.bytes(), loaded.bytes());
  ByteReader other(out.bytes());
  EXPECT_THROW(loaded.Load(&other, 5, is_category), Error);
  ByteReader columns(out.bytes());
  EXPECT_THROW(loaded.Load(&columns, 4, {0, 0, 0}), Error);
}

}  // namespace
}  // namespace everlearn
