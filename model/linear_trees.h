// Decision trees whose leaves are linear in the numbers on the way to them.
//
// Piecewise linear trees: Shi et al., Gradient boosting with piece-wise linear regression trees, 2019. A term takes its number's place in
// the range that training saw, cut to it: far outside, a leaf says what it says at the edge, never more. Where a number of a leaf is
// missing, the leaf is the constant of TreesParameters. Models are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/trees.h"

namespace everlearn {

// One range a feature: finite, low <= high. Of categories both are 0.
struct ColumnRanges {
  std::vector<double> low, high;

  // From -1 at the low end to 1 at the high end, cut to both; NaN stays, and a range of one value is at 0.
  double Place(size_t feature, double x) const;
  // The number at a place; the opposite of Place() within the range.
  double NumberAt(size_t feature, double place) const;
};

struct LinearLeaves {
  ColumnRanges ranges;
  std::vector<double> constants;        // one a leaf
  std::vector<uint64_t> offsets;        // leaf l has the terms offsets[l] … offsets[l + 1]
  std::vector<uint32_t> term_features;  // numbers
  std::vector<double> coefficients;     // one a term, by places in ranges
};

// Throws kDamaged, saying what is wrong, unless the parameters are as described (and trees.leaf_width is 1).
std::shared_ptr<const Model> MakeLinearTrees(TreesParameters trees, LinearLeaves linear);

}  // namespace everlearn
