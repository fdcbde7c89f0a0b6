// Growth: splits only when Hoeffding's bound allows it, pruning keeps what roots lead to, and what is stored is read back.
#include "learners/growing_tree.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

const StreamScale kScale{{0, 0}, {0, 0}, {1, 1}, {}};

void Teach(GrowingTree* tree, const std::vector<double>& values, double target, size_t outputs, const StreamScale& scale = kScale) {
  PreparedRow row;
  LeafScratch scratch;
  std::vector<double> said(outputs);
  PrepareRow(scale, values.data(), true, &row);
  const auto answer = tree->Predict(row, scale, &scratch, said.data());
  tree->Learn(row, scale, answer, target, 1, &scratch);
}

// Rows until the first split. The class is that of the first column; the second is noise.
int RowsUntilSplit(const GrowingTreeOptions& options, double purity) {
  Random random(1);
  GrowingTree tree({{false, false}, 2}, options, 1, {0, 1});
  for (int i = 1; i <= 100000; ++i) {
    const double x = random.Uniform();
    const bool high = random.Uniform() < purity ? x > 0.5 : random.Uniform() < 0.5;
    Teach(&tree, {x, random.Uniform()}, high ? 1 : 0, 2);
    if (tree.nodes().size() > 1) return i;
  }
  return 1 << 30;
}

// The gain of the first column is about 1 - H(purity), that of the second 0: rows n with √(ln(1/δ) / 2n) below it, or below the tie.
TEST(GrowingTree, SplitsWhenHoeffdingsBoundAllowsIt) {
  GrowingTreeOptions options;
  options.grace = 20;
  options.delta = 1e-7;
  const double clear = std::log(1e7) / 2;  // gain 1
  EXPECT_LE(RowsUntilSplit(options, 1), 3 * clear + 40);
  options.tie = 0;
  EXPECT_GT(RowsUntilSplit(options, 0.3), 1000);
  options.tie = 0.05;
  const double tied = std::log(1e7) / (2 * 0.05 * 0.05);
  EXPECT_NEAR(RowsUntilSplit(options, 0.1), tied, 2000);
}

// Leaves after 50,000 rows of numbers in [0, 1); `target` has the noise that is to be taken for noise.
template <typename Target>
size_t LeavesGrown(const GrowingTreeOptions& options, size_t classes, std::vector<uint32_t> columns, Target target) {
  Random random(5);
  GrowingTree tree({{false, false}, classes}, options, 1, std::move(columns));
  for (int i = 0; i < 50000; ++i) {
    const std::vector<double> row{random.Uniform(), random.Uniform()};
    Teach(&tree, row, target(row[0], random.Uniform()), std::max<size_t>(classes, 1));
  }
  return (tree.nodes().size() + 1) / 2;
}

// No split at all is a rival even where no other column is.
TEST(GrowingTree, ASingleColumnIsSplitWhereItSaysSomething) {
  GrowingTreeOptions options;
  options.delta = 1e-12;
  options.tie = 0;
  const auto step = [](double x, double noise) { return noise < 0.2 ? (noise < 0.1 ? 1.0 : 0.0) : x > 0.5 ? 1.0 : 0.0; };
  for (const size_t classes : {2, 0}) {
    const size_t leaves = LeavesGrown(options, classes, {0}, step);
    EXPECT_GE(leaves, 2u) << classes;
    EXPECT_LE(leaves, 5u) << classes;  // the ten thresholds miss the step by a little
  }
}

TEST(GrowingTree, NoiseIsHardlySplit) {
  GrowingTreeOptions options;
  for (const double tie : {0.05, 0.2}) {
    options.tie = tie;
    const auto noise = [](double, double y) { return y < 0.5 ? 1.0 : 0.0; };
    for (const size_t classes : {2, 0}) EXPECT_LE(LeavesGrown(options, classes, {0, 1}, noise), 2u) << tie << ' ' << classes;
  }
}

TEST(GrowingTree, KeepsWhatTheRootsLeadTo) {
  Random random(2);
  GrowingTreeOptions options;
  GrowingTree tree({{false, false}, 2}, options, 1, {0, 1});
  for (int i = 0; i < 5000; ++i) {
    const std::vector<double> row{random.Uniform(), random.Uniform()};
    Teach(&tree, row, row[1] > (row[0] > 0.5 ? 0.3 : 0.8), 2);
  }
  ASSERT_GT(tree.nodes().size(), 4u);
  const uint32_t other = tree.AddRoot();
  const size_t nodes = tree.nodes().size();
  const auto place = tree.Prune({0, other});
  EXPECT_EQ(tree.nodes().size(), nodes);
  EXPECT_EQ(place[other], other);
  const uint32_t left = tree.nodes()[0].left;
  tree.Replace(left, other);
  const auto after = tree.Prune({0});
  EXPECT_LT(tree.nodes().size(), nodes);
  EXPECT_TRUE(tree.nodes()[after[left]].is_leaf());
  CheckStreamNodes(tree.nodes(), 2, tree.nodes().size());
}

TEST(GrowingTree, IsReadBackAsItWas) {
  for (const size_t classes : {0, 2}) {
    Random random(3);
    GrowingTreeOptions options;
    options.subspace = 1;
    const StreamShape shape{{false, false}, classes};
    GrowingTree tree(shape, options, 1, {0, 1});
    for (int i = 0; i < 4000; ++i) {
      const std::vector<double> row{random.Uniform(), random.Uniform()};
      Teach(&tree, row, row[0] + row[1] > 1, std::max<size_t>(classes, 1));
    }
    EXPECT_GT(tree.nodes().size(), 2u);
    ByteWriter out, again;
    tree.Save(&out);
    GrowingTree loaded(shape, options, 2, {});
    ByteReader in(out.bytes());
    loaded.Load(&in);
    EXPECT_TRUE(in.done());
    loaded.Save(&again);
    EXPECT_EQ(out.bytes(), again.bytes());
    EXPECT_EQ(tree.bytes(), loaded.bytes());
  }
}

TEST(GrowingTree, StopsAtItsMemory) {
  Random random(4);
  GrowingTreeOptions options;
  options.most_bytes = 20000;
  options.tie = 0.5;
  GrowingTree tree({{false, false}, 2}, options, 1, {0, 1});
  for (int i = 0; i < 50000; ++i) {
    const std::vector<double> row{random.Uniform(), random.Uniform()};
    Teach(&tree, row, std::fmod(row[0] * 16, 2) > 1, 2);
  }
  EXPECT_LE(tree.bytes(), 22000u);
  EXPECT_GT(tree.nodes().size(), 4u);
}

// Leaves of values grow most after they were made: when their bins are placed, and with every category.
TEST(GrowingTree, OfValuesItStopsAtItsMemoryToo) {
  const StreamScale scale{{0, 1}, {0, 0}, {1, 1}, std::vector<double>(kCategorySlots, 0.0)};
  Random random(6);
  GrowingTreeOptions options;
  options.most_bytes = 200'000;
  options.tie = 0.5;
  options.grace = 60;
  GrowingTree tree({{false, true}, 0}, options, 1, {0, 1});
  for (int i = 0; i < 50000; ++i) {
    const double x = random.Uniform();
    Teach(&tree, {x, static_cast<double>(random.Below(kCategorySlots))}, std::sin(20 * x) + x, 1, scale);
  }
  EXPECT_LE(tree.bytes(), 210'000u);
  EXPECT_GT(tree.bytes(), 150'000u);
  const size_t nodes = tree.nodes().size();
  options.bytes_beside_node = 10'000;
  GrowingTree watched({{false, true}, 0}, options, 1, {0, 1});
  for (int i = 0; i < 50000; ++i) {
    const double x = random.Uniform();
    Teach(&watched, {x, static_cast<double>(random.Below(kCategorySlots))}, std::sin(20 * x) + x, 1, scale);
  }
  EXPECT_LE(watched.bytes(), 230'000u);
  EXPECT_LT(watched.nodes().size(), nodes);
}

}  // namespace
}  // namespace everlearn
