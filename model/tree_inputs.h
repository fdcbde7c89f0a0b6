// What the splits of an ensemble look at: a feature under one rule for missing values, so that every split on a number becomes
// "right where value > threshold", without a special case.
//
// Plain values, read-only once built.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "model/trees.h"

namespace everlearn {

enum class InputRule : uint8_t { kNanIsZero, kNanLeft, kNanRight, kZeroLeft, kZeroRight, kCategory };

struct TreeInput {
  uint32_t feature;
  InputRule rule;
};

// The code of a category that is in no set.
constexpr double kNoCategory = 4294967295.0;

// No number is above the largest finite one, so that +infinity is free to mean a missing value that goes right of every threshold.
constexpr double kLargest = std::numeric_limits<double>::max();
inline double InputThreshold(double threshold) { return std::min(threshold, kLargest); }

// A missing value that goes left becomes -infinity, one that goes right +infinity; a category its code or kNoCategory.
inline double InputValue(InputRule rule, double x) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kZero = 1e-35f;  // LightGBM's zero
  switch (rule) {
    case InputRule::kNanIsZero:
      return std::isnan(x) ? 0.0 : std::min(x, kLargest);
    case InputRule::kNanLeft:
      return std::isnan(x) ? -kInfinity : std::min(x, kLargest);
    case InputRule::kNanRight:
      return std::isnan(x) ? kInfinity : std::min(x, kLargest);
    case InputRule::kZeroLeft:
      return std::isnan(x) || std::abs(x) <= kZero ? -kInfinity : std::min(x, kLargest);
    case InputRule::kZeroRight:
      return std::isnan(x) || std::abs(x) <= kZero ? kInfinity : std::min(x, kLargest);
    case InputRule::kCategory:
      return x > -1.0 && x < 2147483648.0 ? std::trunc(x) : kNoCategory;
  }
  return x;
}

struct TreeInputs {
  std::vector<TreeInput> inputs;
  std::vector<uint32_t> of_split;  // one a split of the ensemble: index into `inputs`
};

// The inputs of checked parameters, each once.
TreeInputs MakeTreeInputs(const TreesParameters& parameters);

inline bool InCategorySet(const TreesParameters& parameters, size_t set, uint32_t code) {
  const uint64_t begin = parameters.category_offsets[set];
  const uint64_t words = parameters.category_offsets[set + 1] - begin;
  return code / 32 < words && (parameters.category_words[begin + code / 32] >> (code % 32) & 1) != 0;
}

}  // namespace everlearn
