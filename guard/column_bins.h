// Which bin a value of a column falls into: quantile edges of a number, the frequent codes of a category, and one bin for what is missing.
//
// Fixed once on the first values, then immutable. A look-up costs some nanoseconds.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace everlearn {

class ColumnBins {
 public:
  static constexpr size_t kEdges = 63;         // at most (six bits); for categories, codes of their own
  static constexpr size_t kBins = kEdges + 2;  // of every column, used or not; the last one is for missing values
  static constexpr size_t kMissingBin = kBins - 1;

  // A number: bin i holds what lies above edge i − 1 and not above edge i, the one behind the last edge the rest. Edges are quantiles of
  // the values, each once, so that few different values have a bin each. A category: the most frequent codes, each its own bin in order of
  // the codes, and behind them one bin for all others. NaN is missing.
  static ColumnBins Fit(std::span<const double> values, bool is_category);

  size_t Of(double value) const {
    if (value != value) return kMissingBin;
    size_t below = 0;  // edges below the value; those that are not used are infinite
    // Six comparisons without a branch, as which way they go cannot be foreseen.
    for (int bit = 5; bit >= 0; --bit) below += static_cast<size_t>(edges_[below + (size_t{1} << bit) - 1] < value) << bit;
    return is_category_ && (below >= used_ || edges_[below] != value) ? used_ : below;
  }
  bool is_category() const { return is_category_; }
  size_t used() const { return used_; }  // edges; the bins 0 to used() are those of values

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  std::array<double, kEdges> edges_ = {};
  uint32_t used_ = 0;
  bool is_category_ = false;
};

}  // namespace everlearn
