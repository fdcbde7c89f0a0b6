// Ensembles of binary decision trees: gradient boosting and random forests, with LightGBM's meaning of missing values and categories.
//
// Batches follow QuickScorer (Lucchese et al. 2015) in the form of RapidScorer (Ye et al. 2018): instead of walking a tree, every test
// of the tree is made for 32 rows at once on byte-sized ranks of the values, and clears the leaves that it rules out. One row walks
// eight trees side by side. Both reach the same leaves and add them in the order of the trees, so results are equal bit for bit.
// Models are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/link.h"
#include "model/model.h"

namespace everlearn {

// Flags of a split: bit 0, bit 1 and bits 2–3 as in LightGBM's decision_type.
constexpr uint8_t kSplitCategories = 1;        // go left where the code is in the split's set; NaN, negative and other codes go right
constexpr uint8_t kSplitDefaultLeft = 2;       // where a missing value goes
constexpr uint8_t kSplitMissingNone = 0 << 2;  // NaN counts as 0
constexpr uint8_t kSplitMissingZero = 1 << 2;  // NaN and |x| <= 1e-35 (as float) are missing
constexpr uint8_t kSplitMissingNan = 2 << 2;   // NaN is missing

struct TreesParameters {
  size_t features = 0;
  size_t outputs = 1;
  Link link = Link::kIdentity;  // gives the number of scores; tree i adds to score i % scores
  double sigmoid_scale = 1.0;
  bool average = false;  // scores are divided by the number of trees of a score before the link (random forests)
  // Numbers in a leaf: 1, or one a score; then every tree adds to all scores.
  uint32_t leaf_width = 1;

  std::vector<uint32_t> leaves;  // one a tree: its number of leaves L >= 1; it has L - 1 splits

  // Splits, tree after tree; the first of a tree is its root. A child >= 0 is a split of the same tree (numbered from 0 in it, larger
  // than its parent), a child < 0 is the leaf ~child of the tree. Each split and leaf has one parent.
  std::vector<int32_t> left, right;
  std::vector<uint32_t> feature;
  // A number x <= threshold goes left: finite, or +infinity, where all numbers go left (the largest finite number counts as infinity). Of
  // a split on categories: the number of its set.
  std::vector<double> threshold;
  std::vector<uint8_t> flags;

  std::vector<double> leaf_values;  // tree after tree, leaf after leaf; finite
  // Empty, or of each leaf which of the rows of `leaf_width` numbers in leaf_values it has; then leaf_width is above 1.
  std::vector<uint32_t> leaf_rows;

  // Sets of category codes: set s is the bits of category_words[category_offsets[s] … category_offsets[s + 1]), code c is bit c % 32 of
  // word c / 32. category_offsets is empty where no split is on categories.
  std::vector<uint64_t> category_offsets;
  std::vector<uint32_t> category_words;
};

// Throws kDamaged, saying what is wrong, unless the parameters are as described above.
std::shared_ptr<const Model> MakeTrees(TreesParameters parameters);
void CheckTrees(const TreesParameters& parameters);
// Leaves of several numbers that are equal share them from now on. In a forest of small leaves most do.
void ShareLeafValues(TreesParameters* parameters);

// The arrays and fields of a file that hold trees; what is loaded is not checked yet.
Json SaveTrees(const TreesParameters& parameters, const std::string& prefix, ArrayFileWriter* file);
TreesParameters LoadTrees(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs);

}  // namespace everlearn
