// Trees from histograms: the split of the root is the best of all by brute force, and rows are where the splits send them.
#include "kernels/histogram_tree.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

struct Rows {
  std::vector<uint8_t> codes;
  std::vector<float> gradients, hessians;
};

// Feature 0: five bins and one for missing; feature 1: a category of four codes.
Rows MakeRows(size_t count, uint64_t seed) {
  Rows rows;
  Random random(seed);
  for (size_t i = 0; i < count; ++i) {
    rows.codes.push_back(static_cast<uint8_t>(random.Below(6)));
    rows.codes.push_back(static_cast<uint8_t>(random.Below(4)));
    rows.gradients.push_back(
        static_cast<float>(random.Normal() + (rows.codes[2 * i] == 5 ? 1 : 0) - (rows.codes[2 * i + 1] % 2 ? 0.5 : 0)));
    rows.hessians.push_back(static_cast<float>(0.5 + random.Uniform()));
  }
  return rows;
}

const std::vector<BinnedFeature> kFeatures{{6, false}, {64, true}};

double Gain(const Rows& rows, uint32_t feature, uint64_t left, const HistogramTreeOptions& options) {
  double g[2] = {0, 0}, h[2] = {0, 0}, n[2] = {0, 0};
  for (size_t i = 0; i < rows.gradients.size(); ++i) {
    const size_t side = left >> rows.codes[2 * i + feature] & 1 ? 0 : 1;
    g[side] += rows.gradients[i];
    h[side] += rows.hessians[i];
    n[side] += 1;
  }
  if (std::min(n[0], n[1]) < options.least_rows || std::min(h[0], h[1]) < options.least_hessian) return 0;
  const auto score = [&](double a, double b) { return a * a / (b + options.l2); };
  return score(g[0], h[0]) + score(g[1], h[1]) - score(g[0] + g[1], h[0] + h[1]);
}

TEST(HistogramTree, TheRootHasTheBestSplit) {
  HistogramTreeOptions options;
  options.depth = 1;
  HistogramTreeGrower grower(options);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Rows rows = MakeRows(80, seed);
    double best = 0;
    for (uint64_t bin = 0; bin < 5; ++bin)
      for (const uint64_t missing : {0, 1}) best = std::max(best, Gain(rows, 0, ((uint64_t{2} << bin) - 1) | missing << 5, options));
    for (uint64_t set = 1; set < 15; ++set) best = std::max(best, Gain(rows, 1, set, options));
    std::vector<BinSplit> splits;
    std::vector<uint8_t> leaves;
    grower.Grow({rows.codes.data(), 80, 2}, kFeatures, {0, 1}, rows.gradients.data(), rows.hessians.data(), &splits, &leaves);
    ASSERT_EQ(splits.size(), 1u);
    if (best == 0) {
      EXPECT_EQ(splits[0].feature, BinSplit::kNone);
      continue;
    }
    ASSERT_NE(splits[0].feature, BinSplit::kNone);
    // Sorted by their shrunk mean, categories need not give the very best set where hessians differ.
    const double gain = Gain(rows, splits[0].feature, splits[0].left, options);
    EXPECT_GE(gain, (splits[0].feature == 1 ? 0.95 : 1 - 1e-5) * best) << seed;
  }
}

TEST(HistogramTree, RowsAreInTheLeafThatTheSplitsSendThemTo) {
  HistogramTreeOptions options;
  options.depth = 3;
  HistogramTreeGrower grower(options);
  const Rows rows = MakeRows(300, 7);
  std::vector<BinSplit> splits;
  std::vector<uint8_t> leaves;
  grower.Grow({rows.codes.data(), 300, 2}, kFeatures, {0, 1}, rows.gradients.data(), rows.hessians.data(), &splits, &leaves);
  for (size_t i = 0; i < 300; ++i) {
    size_t node = 0;
    while (node < splits.size()) {
      const BinSplit& split = splits[node];
      const bool left = split.feature == BinSplit::kNone || (split.left >> rows.codes[2 * i + split.feature] & 1);
      node = 2 * node + (left ? 1 : 2);
    }
    ASSERT_EQ(leaves[i], node - splits.size());
  }
}

TEST(HistogramTree, OnlyTheUsedFeaturesAreSplitOn) {
  HistogramTreeGrower grower({});
  const Rows rows = MakeRows(300, 7);
  std::vector<BinSplit> splits;
  std::vector<uint8_t> leaves;
  grower.Grow({rows.codes.data(), 300, 2}, kFeatures, {1}, rows.gradients.data(), rows.hessians.data(), &splits, &leaves);
  for (const BinSplit& split : splits) EXPECT_NE(split.feature, 0u);
}

}  // namespace
}  // namespace everlearn
