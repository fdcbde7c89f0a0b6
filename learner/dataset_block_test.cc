// A data set through a block of memory and back.
#include "learner/dataset_block.h"

#include <gtest/gtest.h>

#include <cmath>

namespace everlearn {
namespace {

TEST(DatasetBlock, ComesBackEqual) {
  // A number with many values, a category with more than 255, and a missing value of each.
  const size_t rows = 1000;
  std::vector<double> values, target, weights;
  for (size_t i = 0; i < rows; ++i) {
    values.push_back(i == 7 ? kMissing : 0.5 * static_cast<double>(i * 37 % 1001));
    values.push_back(i == 9 ? kMissing : static_cast<double>(i % 300));
    target.push_back(static_cast<double>(i % 3));
    weights.push_back(1 + static_cast<double>(i % 2));
  }
  const Dataset data({false, true}, {0, 300}, values, target, weights, 3);
  MemoryFile file("test");
  WriteDataset(data, &file);
  const auto mapped = MapDataset(std::make_shared<const Mapping>(file.descriptor()));
  ASSERT_EQ(mapped->rows(), rows);
  ASSERT_EQ(mapped->features(), 2U);
  EXPECT_EQ(mapped->classes(), 3U);
  EXPECT_TRUE(mapped->is_category(1));
  EXPECT_EQ(mapped->dictionary_size(1), 300U);
  for (size_t i = 0; i < rows; ++i) {
    EXPECT_EQ(std::isnan(mapped->row(i)[0]), i == 7);
    if (i != 7) {
      EXPECT_EQ(mapped->row(i)[0], values[2 * i]);
    }
    EXPECT_EQ(mapped->target()[i], target[i]);
    EXPECT_EQ(mapped->weight(i), weights[i]);
    for (size_t j = 0; j < 2; ++j) EXPECT_EQ(mapped->binned().columns[j].code(i), data.binned().columns[j].code(i)) << i << ", " << j;
  }
  EXPECT_EQ(mapped->binned().columns[0].upper, data.binned().columns[0].upper);
}

TEST(DatasetBlock, WithoutWeightsAndRows) {
  const Dataset data({false}, {0}, {}, {}, {}, 0);
  MemoryFile file("test");
  WriteDataset(data, &file);
  const auto mapped = MapDataset(std::make_shared<const Mapping>(file.descriptor()));
  EXPECT_EQ(mapped->rows(), 0U);
  EXPECT_FALSE(mapped->has_weights());
}

}  // namespace
}  // namespace everlearn
