// Target statistics of categories before another model: appends, for each group of features, what the training rows with the same values
// had (means of the target, counts), and predicts by the inner model.
//
// A group is a feature or a combination of a few, each value as a code: a category's own, or the place of a number among those seen.
// Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes, 2001; Prokhorenkova et al., CatBoost, 2018. Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/model.h"

namespace everlearn {

// How values of one feature become codes: 0 … size-1 are known, size is missing, size+1 is unknown.
struct FeatureCoding {
  uint32_t feature = 0;
  uint64_t size = 0;            // categories: of the dictionary
  std::vector<double> numbers;  // numbers: the known values, ascending; `size` of them. Empty for categories

  uint64_t radix() const { return size + 2; }
  uint64_t Code(double x) const;
};

struct StatisticsGroup {
  std::vector<uint32_t> codings;  // indices, 1 … kMostGroupFeatures
  std::vector<uint64_t> keys;     // ascending; the codes as digits, the first the most significant
  std::vector<double> values;     // keys × width
  std::vector<double> unseen;     // width: for rows whose key is not there
};

constexpr size_t kMostGroupFeatures = 4;

// The key of a row; the product of the radices must be below 2^63.
uint64_t GroupKey(std::span<const FeatureCoding> codings, std::span<const uint32_t> group, const double* row);
// Whether it is.
bool KeysFit(std::span<const FeatureCoding> codings, std::span<const uint32_t> group);

struct TargetStatisticsParameters {
  size_t features = 0;
  std::vector<FeatureCoding> codings;
  std::vector<StatisticsGroup> groups;
  std::shared_ptr<const Model> inner;  // of `features` features and behind them the values of the groups, one after another
};

// Throws kDamaged, saying what is wrong, unless the parameters are as described above.
std::shared_ptr<const Model> MakeTargetStatistics(TargetStatisticsParameters parameters);

}  // namespace everlearn
