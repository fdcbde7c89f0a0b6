// The aggregated Mondrian tree: weights by hand, splits drawn as the process says, and states that are checked.
#include "kernels/mondrian_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

MondrianOptions Classes(size_t features) {
  MondrianOptions options;
  options.features = features;
  options.classes = 2;
  options.step = 1;
  options.prior_rows = 1;
  options.most_nodes = 1000;
  return options;
}

// Root: losses log 1/2 and log 1/4, so weight 1/8. Each leaf saw one row: weight 1/2. The tree: (1/8 + 1/2 · 1/2) / 2 = 3/16, of which
// the root has (1/8 / 2) / (3/16) = 1/3. The root says 1/2, the leaf of x 3/4.
TEST(MondrianTree, WeighsTheTwoPruningsOfOneSplit) {
  MondrianTree tree(Classes(1), 7);
  const float zero = 0, one = 1, rate = 1;
  tree.Learn(&zero, &rate, 0, 1);
  tree.Learn(&one, &rate, 1, 1);
  ASSERT_EQ(tree.nodes(), 3u);
  double out[2];
  tree.Predict(&zero, out);
  EXPECT_NEAR(out[0], 1.0 / 3 / 2 + 2.0 / 3 * 3 / 4, 1e-12);
  tree.Predict(&one, out);
  EXPECT_NEAR(out[1], 1.0 / 3 / 2 + 2.0 / 3 * 3 / 4, 1e-12);
}

TEST(MondrianTree, ARowOfTheOnlyClassSplitsNothing) {
  MondrianTree tree(Classes(1), 7);
  const float rate = 1;
  for (float x = 0; x < 5; ++x) tree.Learn(&x, &rate, 1, 1);
  EXPECT_EQ(tree.nodes(), 1u);
}

// Of two features that are outside by 1 and 3, the second is split three times as often, uniformly between the box and the row.
TEST(MondrianTree, FeaturesAndThresholdsAreDrawnByTheExtents) {
  int second = 0;
  double threshold = 0;
  constexpr int kTrees = 4000;
  for (int t = 0; t < kTrees; ++t) {
    MondrianTree tree(Classes(2), MixBits(static_cast<uint64_t>(t)));
    const float a[] = {0, 0}, b[] = {1, 6}, rates[] = {1, 0.5};
    tree.Learn(a, rates, 0, 1);
    tree.Learn(b, rates, 1, 1);
    if (tree.feature(tree.root()) == 0) continue;
    ++second;
    threshold += tree.threshold(tree.root());
  }
  EXPECT_NEAR(second / static_cast<double>(kTrees), 0.75, 0.03);
  EXPECT_NEAR(threshold / second, 3, 0.15);
}

TEST(MondrianTree, AMissingCoordinateGoesWhereTheBoxWas) {
  MondrianTree tree(Classes(1), 7);
  const float zero = 0, one = 1, rate = 1;
  tree.Learn(&one, &rate, 0, 1);
  tree.Learn(&zero, &rate, 1, 1);
  double known[2], missing[2];
  tree.Predict(&one, known);
  tree.Predict(&kNan, missing);
  EXPECT_EQ(known[0], missing[0]);
}

TEST(MondrianTree, LearnsOnWhenItIsFull) {
  MondrianOptions options = Classes(2);
  options.most_nodes = 21;
  MondrianTree tree(options, 7);
  Random random(1);
  const float rates[] = {1, 1};
  int right = 0;
  for (int i = 0; i < 2000; ++i) {
    const float x[] = {static_cast<float>(random.Uniform()), static_cast<float>(random.Uniform())};
    const double target = x[0] > 0.5f;
    double out[2];
    tree.Predict(x, out);
    if (i >= 1000) right += (out[1] > 0.5) == (target > 0.5);
    tree.Learn(x, rates, target, 1);
  }
  EXPECT_TRUE(tree.full());
  EXPECT_LE(tree.nodes(), 21u);
  EXPECT_GT(right / 1000.0, 0.7);
}

TEST(MondrianTree, ADamagedStateIsRefusedOrHarmless) {
  MondrianTree tree(Classes(1), 7);
  Random random(1);
  const float rate = 1;
  for (int i = 0; i < 8; ++i) {
    const auto x = static_cast<float>(random.Normal());
    tree.Learn(&x, &rate, i % 2, 1);
  }
  ByteWriter out;
  tree.Save(&out);
  for (size_t at = 0; at < out.size(); ++at) {
    std::string damaged = out.bytes();
    damaged[at] = static_cast<char>(damaged[at] ^ 0x81);
    MondrianTree other(Classes(1), 7);
    try {
      ByteReader in(damaged);
      other.Load(&in);
      const float x = 0.5;
      double p[2];
      other.Predict(&x, p);
      other.Learn(&x, &rate, 1, 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    }
  }
}

}  // namespace
}  // namespace everlearn
