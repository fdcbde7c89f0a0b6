// Trees of streams as models: what they say by hand, that a file brings back the same, and that damage is refused.
#include "model/stream_trees.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// A number at 2 and below it on the right a category, of two classes; the leaf on the left has a naive Bayes.
StreamTreesParameters Classes() {
  StreamTreesParameters parameters;
  parameters.classes = 2;
  parameters.scale = {{0, 1}, {1, 0}, {2, 1}, {}};
  StreamTree tree;
  tree.nodes = {{2, 0, StreamNode::kMissingLeft, 1, 2},
                {0, kNoSplit, 0, 0, 0},
                {3, 1, StreamNode::kCategory, 3, 4},
                {0, kNoSplit, 0, 1, 0},
                {0, kNoSplit, 0, 2, 0}};
  ClassLeaf bayes;
  bayes.weights = {30, 10};
  bayes.naive_bayes = true;
  bayes.numbers = {0};
  bayes.categories = {1};
  bayes.classes = {0, 1};
  bayes.gaussians = {30, 0, 30, 10, 1, 10};
  bayes.counts = {{2, {30, 20, 10, 10, 1, 9}}};
  ClassLeaf left, right;
  left.weights = {0, 3};
  right.weights = {7, 0};
  tree.class_leaves = {bayes, left, right};
  parameters.trees = {tree};
  return parameters;
}

StreamTreesParameters Values() {
  StreamTreesParameters parameters;
  parameters.scale = {{0}, {10}, {2}, {}};
  StreamTree tree;
  tree.nodes = {{0, 0, 0, 1, 2}, {0, kNoSplit, 0, 0, 0}, {0, kNoSplit, 0, 1, 0}};
  tree.value_leaves = {{-5, -5, -5, false, {}}, {1, 0, 4, true, {2, 1}}};
  parameters.trees = {tree, tree};
  parameters.trees[1].value_leaves[0].mean = 7;
  parameters.trees[1].weight = 3;
  return parameters;
}

std::vector<double> Predict(const Model& model, const std::vector<double>& row) {
  std::vector<double> out(model.outputs());
  model.PredictRow(row.data(), out.data());
  return out;
}

TEST(StreamTrees, SplitsSendARowToItsLeaf) {
  const auto model = MakeStreamTrees(Classes());
  EXPECT_NEAR(Predict(*model, {2.5, 3})[1], 3.5 / 4, 1e-12);
  EXPECT_NEAR(Predict(*model, {2.5, 4})[0], 7.5 / 8, 1e-12);
  EXPECT_NEAR(Predict(*model, {1e300, 3 + kCategorySlots})[1], 3.5 / 4, 1e-12);
  EXPECT_NEAR(Predict(*model, {2.5, kMissing})[0], 7.5 / 8, 1e-12);
}

// By hand: the variance of a class has a fiftieth of a row of the column's own, a category one more of each.
TEST(StreamTrees, NaiveBayesIsBayesRule) {
  const auto model = MakeStreamTrees(Classes());
  const auto score = [](double weight, double mean, double squares, double share, double x) {
    const double variance = (squares + 0.02 * 4) / (weight + 0.02);
    return weight * share * std::exp(-(x - mean) * (x - mean) / variance / 2) / std::sqrt(variance);
  };
  const double a = score(30, 0, 30, 21.0 / 33, 0.25), b = score(10, 1, 10, 2.0 / 13, 0.25);
  EXPECT_NEAR(Predict(*model, {0.25, 0})[1], 0.99 * b / (a + b) + 0.005, 1e-6);
  const double c = score(30, 0, 30, 1, 0) / score(30, 0, 30, 1, 0) * 30 * 11.0 / 33, d = 10 * 10.0 / 13;
  EXPECT_NEAR(Predict(*model, {kMissing, 1})[1], 0.99 * d / (c + d) + 0.005, 1e-6);
}

TEST(StreamTrees, ValuesAreWeightedMeansOfMeansAndLinearModels) {
  const auto model = MakeStreamTrees(Values());
  EXPECT_NEAR(Predict(*model, {-1})[0], (-5 + 3 * 7) / 4.0, 1e-12);
  EXPECT_NEAR(Predict(*model, {11})[0], 1 + 2 * 0.5, 1e-12);
  EXPECT_NEAR(Predict(*model, {1e9})[0], 4, 1e-12);
}

TEST(StreamTrees, SharpnessIsAPower) {
  StreamTreesParameters parameters = Classes();
  parameters.sharpness = 2;
  const auto model = MakeStreamTrees(parameters);
  EXPECT_NEAR(Predict(*model, {2.5, 3})[1], 3.5 * 3.5 / (3.5 * 3.5 + 0.5 * 0.5), 1e-7);
}

TEST(StreamTrees, AFileBringsBackTheSame) {
  for (const auto& parameters : {Classes(), Values()}) {
    const auto model = MakeStreamTrees(parameters);
    ArrayFileWriter writer;
    const Json json = model->Save("m.", &writer);
    const auto file = ArrayFile::Parse(writer.Bytes(), "the test's");
    const auto loaded = ModelKinds().Get("stream_trees").load(json, "m.", *file, model->features(), model->outputs());
    Random random(1);
    for (int i = 0; i < 100; ++i) {
      std::vector<double> row(model->features());
      for (double& x : row) x = std::floor(8 * random.Uniform()) - 2;
      EXPECT_EQ(Predict(*model, row), Predict(*loaded, row));
    }
  }
}

TEST(StreamTrees, DamageIsRefused) {
  const auto refused = [](const auto& damage, StreamTreesParameters parameters) {
    damage(&parameters.trees[0], &parameters);
    EXPECT_THROW(MakeStreamTrees(std::move(parameters)), Error);
  };
  const auto classes = [&](const auto& damage) { refused(damage, Classes()); };
  classes([](StreamTree* tree, auto*) { tree->nodes.clear(); });
  classes([](StreamTree* tree, auto*) { tree->nodes[0].left = 0; });
  classes([](StreamTree* tree, auto*) { tree->nodes[0].right = 1; });
  classes([](StreamTree* tree, auto*) { tree->nodes[2].right = 5; });
  classes([](StreamTree* tree, auto*) { tree->nodes[0].feature = 2; });
  classes([](StreamTree* tree, auto*) { tree->nodes[4].left = 3; });
  classes([](StreamTree* tree, auto*) { tree->nodes[4].left = 1; });
  classes([](StreamTree* tree, auto*) { tree->weight = kMissing; });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[1].weights = {1}; });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[1].weights = {1, -1}; });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[0].numbers = {1}; });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[0].categories = {2}; });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[0].classes = {0, 2}; });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[0].gaussians[2] = -1; });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[0].gaussians.pop_back(); });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[0].counts[0].counts.pop_back(); });
  classes([](StreamTree* tree, auto*) { tree->class_leaves[0].counts.clear(); });
  classes([](auto*, StreamTreesParameters* all) { all->scale.deviation[0] = 0; });
  classes([](auto*, StreamTreesParameters* all) { all->scale.mean.pop_back(); });
  classes([](auto*, StreamTreesParameters* all) { all->sharpness = 0; });
  refused([](StreamTree* tree, auto*) { tree->value_leaves[1].weights.pop_back(); }, Values());
  refused([](StreamTree* tree, auto*) { tree->value_leaves[1].low = 5; }, Values());
}

TEST(StreamLeaves, TheQuickLogarithmIsRight) {
  Random random(2);
  for (int i = 0; i < 10000; ++i) {
    const double x = std::exp(1000 * random.Uniform() - 500);
    EXPECT_NEAR(QuickLog(x), std::log(x), 1e-7 + 1e-12 * std::abs(std::log(x)));
  }
  EXPECT_NEAR(QuickLog(1), 0, 1e-15);
}

}  // namespace
}  // namespace everlearn
