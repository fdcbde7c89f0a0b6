// A ring of small trees of equal depth whose answers are summed: a new one takes the place of the oldest. A leaf holds values, of when its
// tree was grown, and steps, by which outcomes moved it since; the caller says how far steps count.
//
// Belongs to one thread; no allocation once all places are taken.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "kernels/histogram_tree.h"
#include "model/trees.h"

namespace everlearn {

// A number at most `threshold` goes left, a category that is in `codes`; a missing number where `missing_left` says.
struct RingSplit {
  uint32_t feature = BinSplit::kNone;  // kNone: left
  uint8_t is_category = 0, missing_left = 1;
  uint64_t codes = 0;
  double threshold = 0;
};

class TreeRing {
 public:
  // `most` trees of 2^depth leaves, each of them with `scores` values and as many steps.
  TreeRing(size_t most, size_t depth, size_t scores) : most_(most), splits_a_tree_((size_t{1} << depth) - 1), scores_(scores) {}

  static size_t BytesOfTree(size_t depth, size_t scores) {
    return (size_t{1} << depth) * (sizeof(RingSplit) + 2 * scores * sizeof(double));
  }

  size_t size() const { return size_; }
  bool full() const { return size_ == most_; }
  size_t leaves() const { return splits_a_tree_ + 1; }
  // Trees are numbered by their places; from the oldest on, they are Place(0), Place(1), …
  size_t Place(size_t age) const { return oldest_ + age < most_ ? oldest_ + age : oldest_ + age - most_; }
  // There must be room. splits: one a node, the children of i are 2i + 1 and 2i + 2. Returns the place; its values and steps are 0.
  size_t Add(const std::vector<RingSplit>& splits);
  void DropOldest();

  size_t LeafOf(size_t place, const double* row) const;
  double* Values(size_t place, size_t leaf) { return numbers_.data() + (place * leaves() + leaf) * 2 * scores_; }
  const double* Values(size_t place, size_t leaf) const { return numbers_.data() + (place * leaves() + leaf) * 2 * scores_; }
  double* Steps(size_t place, size_t leaf) { return Values(place, leaf) + scores_; }
  const double* Steps(size_t place, size_t leaf) const { return Values(place, leaf) + scores_; }
  // Adds the answers of all trees, from the oldest on: their values to `values`, their steps to `steps`.
  void AddScores(const double* row, double* values, double* steps) const;

  // As trees of a model with leaves of `scores` numbers: value + factor × step.
  void AppendTo(double factor, TreesParameters* model) const;
  void Save(ByteWriter* out) const;
  void Load(const std::vector<BinnedFeature>& features, ByteReader* in);  // throws kDamaged

 private:
  void AppendTree(size_t place, double factor, TreesParameters* model) const;

  size_t most_, splits_a_tree_, scores_;
  size_t oldest_ = 0, size_ = 0;
  std::vector<RingSplit> splits_;  // places × splits of a tree
  std::vector<double> numbers_;    // places × leaves × (values, then steps)
};

}  // namespace everlearn
