// Folds by content: stable as a table grows, even, or refused.
#include "cli/content_folds.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace everlearn {
namespace {

std::vector<uint64_t> RandomKeys(size_t rows) {
  Random random(3);
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < rows; ++i) keys.push_back(random.Next());
  return keys;
}

std::map<uint32_t, size_t> FoldOf(const std::vector<Fold>& folds) {
  std::map<uint32_t, size_t> fold;
  for (size_t k = 0; k < folds.size(); ++k)
    for (const uint32_t row : folds[k].validation) fold[row] = k;
  return fold;
}

TEST(ContentFolds, RowsKeepTheirFoldAsTheTableGrows) {
  const std::vector<uint64_t> keys = RandomKeys(20'000);
  const auto before = FoldOf(ContentFolds(std::span(keys).first(10'000), {}, 0, 8, 5));
  const auto after = FoldOf(ContentFolds(keys, {}, 0, 8, 5));
  ASSERT_EQ(before.size(), 10'000U);
  ASSERT_EQ(after.size(), 20'000U);
  for (const auto& [row, fold] : before) ASSERT_EQ(after.at(row), fold);
}

TEST(ContentFolds, NoFeaturesNoFolds) { EXPECT_TRUE(ContentFolds({}, std::vector<double>(50), 2, 8, 1).empty()); }

TEST(ContentFolds, EveryRowIsValidatedOnceAndTrainedOnElsewhere) {
  const std::vector<Fold> folds = ContentFolds(RandomKeys(5'000), {}, 0, 5, 1);
  ASSERT_EQ(folds.size(), 5U);
  for (const Fold& fold : folds) EXPECT_EQ(fold.train.size() + fold.validation.size(), 5'000U);
  EXPECT_EQ(FoldOf(folds).size(), 5'000U);
}

TEST(ContentFolds, AnotherSeedGivesOtherFolds) {
  const std::vector<uint64_t> keys = RandomKeys(5'000);
  EXPECT_NE(FoldOf(ContentFolds(keys, {}, 0, 5, 1)), FoldOf(ContentFolds(keys, {}, 0, 5, 2)));
}

TEST(ContentFolds, EqualRowsAreDealtOutApart) {
  const std::vector<Fold> folds = ContentFolds(std::vector<uint64_t>(5'000, 7), {}, 0, 5, 1);
  ASSERT_EQ(folds.size(), 5U);
  for (const Fold& fold : folds) EXPECT_NEAR(static_cast<double>(fold.validation.size()), 1'000, 150);
}

TEST(ContentFolds, UnevenFoldsAreRefused) {
  EXPECT_TRUE(ContentFolds(RandomKeys(20), {}, 0, 8, 1).empty());
  std::vector<double> rare(5'000, 0.0);
  rare[17] = 1;  // a class of one row cannot be in every fold
  EXPECT_TRUE(ContentFolds(RandomKeys(5'000), rare, 2, 5, 1).empty());
}

}  // namespace
}  // namespace everlearn
