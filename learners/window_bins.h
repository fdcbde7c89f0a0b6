// Bins of the features of a window of rows, for trees that learn from the newest rows: quantiles of numbers, codes of categories.
//
// Belongs to one thread.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "kernels/histogram_tree.h"
#include "learner/learner.h"

namespace everlearn {

class WindowBins {
 public:
  explicit WindowBins(const StreamShape& shape);

  // Edges from rows × features numbers.
  void Learn(const double* rows, size_t count);
  // One code a feature.
  void Code(const double* row, uint8_t* codes) const;
  const std::vector<BinnedFeature>& features() const { return features_; }
  // Of a number: x <= Edge(j, b) holds for the bins up to b, of a window that was coded by these edges.
  double Edge(size_t feature, size_t bin) const { return edges_[feature][bin]; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  std::vector<BinnedFeature> features_;
  std::vector<std::vector<double>> edges_;  // of numbers, ascending; one less than there are bins of numbers
  std::vector<double> sorted_;
};

// The bins that a category's codes can have; later codes share the last one with what is missing.
constexpr size_t kCategoryBins = kMostTreeBins - 1;

}  // namespace everlearn
