// Trees with linear leaves: worked out by hand, outside of their ranges, through a file, and damage refused.
#include "model/linear_trees.h"

#include <gtest/gtest.h>

#include <limits>

#include "data/table.h"

namespace everlearn {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

// x0 <= 2 (missing left): 10 + 3·place of x0; else, 20 - place of x0 + 5·place of x1. The second tree is a constant.
TreesParameters SmallTrees() {
  TreesParameters trees;
  trees.features = 2;
  trees.leaves = {2, 1};
  trees.left = {~0};
  trees.right = {~1};
  trees.feature = {0};
  trees.threshold = {2};
  trees.flags = {kSplitMissingNan | kSplitDefaultLeft};
  trees.leaf_values = {-7, -8, 100};
  return trees;
}
LinearLeaves SmallLeaves() {
  return {.ranges = {{0, 10}, {4, 30}},
          .constants = {10, 20, 100},
          .offsets = {0, 1, 3, 3},
          .term_features = {0, 0, 1},
          .coefficients = {3, -1, 5}};
}

double Predict(const Model& model, double x0, double x1) {
  const double row[] = {x0, x1};
  double out = 0;
  model.PredictRow(row, &out);
  return out;
}

TEST(LinearTrees, LeavesByHand) {
  const auto model = MakeLinearTrees(SmallTrees(), SmallLeaves());
  EXPECT_DOUBLE_EQ(Predict(*model, 1, kMissing), 110 - 1.5);
  EXPECT_DOUBLE_EQ(Predict(*model, 3, 25), 120 - 0.5 + 2.5);
  EXPECT_DOUBLE_EQ(Predict(*model, 3, kMissing), 100 - 8);
  EXPECT_DOUBLE_EQ(Predict(*model, kMissing, 25), 100 - 7);
}

TEST(LinearTrees, StayAtTheEdgeOutsideOfTheRange) {
  const auto model = MakeLinearTrees(SmallTrees(), SmallLeaves());
  for (const double far : {31.0, 1e300, kLargest, std::numeric_limits<double>::infinity()}) {
    EXPECT_DOUBLE_EQ(Predict(*model, far, far), 120 - 1 + 5);
    EXPECT_DOUBLE_EQ(Predict(*model, -far, far), 110 - 3);
  }
}

TEST(LinearTrees, RangesMayBeAsWideAsNumbersAre) {
  const ColumnRanges ranges{{-kLargest, 5}, {kLargest, 5}};
  EXPECT_EQ(ranges.Place(0, kLargest), 1);
  EXPECT_EQ(ranges.Place(0, 0), 0);
  EXPECT_EQ(ranges.NumberAt(0, -1), -kLargest);
  EXPECT_EQ(ranges.Place(1, 7), 0);
}

TEST(LinearTrees, SavedAndLoadedPredictTheSame) {
  const auto model = MakeLinearTrees(SmallTrees(), SmallLeaves());
  ArrayFileWriter writer;
  const Json json = model->Save("m.", &writer);
  const auto loaded = ModelKinds().Get("linear_trees").load(json, "m.", *ArrayFile::Parse(writer.Bytes(), "m"), 2, 1);
  for (const double x : {-1.0, 1.7, 2.0, 3.3, 50.0}) EXPECT_EQ(Predict(*loaded, x, x), Predict(*model, x, x));
}

TEST(LinearTrees, DamageIsRefused) {
  const auto refused = [](const auto& damage) {
    TreesParameters trees = SmallTrees();
    LinearLeaves leaves = SmallLeaves();
    damage(&trees, &leaves);
    try {
      MakeLinearTrees(trees, leaves);
      ADD_FAILURE() << "was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    }
  };
  refused([](TreesParameters* trees, LinearLeaves*) { trees->feature[0] = 2; });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->term_features[2] = 2; });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->offsets = {0, 3, 1, 3}; });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->offsets = {0, 1, 3, 4}; });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->offsets.pop_back(); });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->coefficients[0] = kMissing; });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->coefficients.pop_back(); });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->constants.pop_back(); });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->ranges.low[0] = 5; });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->ranges.high[1] = INFINITY; });
  refused([](TreesParameters*, LinearLeaves* leaves) { leaves->ranges.low.clear(); });
}

}  // namespace
}  // namespace everlearn
