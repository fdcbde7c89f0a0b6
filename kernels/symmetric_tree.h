// Grows one symmetric (oblivious) tree: all leaves of a level are split by the same test, so that a row's leaf is a number of `depth` bits.
//
// Prokhorenkova et al., CatBoost: unbiased boosting with categorical features, 2018, with its "Cosine" score of a split: the cosine between
// the gradients and the steps that the leaves would take. Histograms of a leaf's larger half are those of the leaf less the smaller half
// (Ke et al., LightGBM, 2017). A grower owns its buffers and belongs to one thread; nothing is allocated for a tree once they have grown.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace everlearn {

// Codes 0 … bins-1 of all rows, owned by someone else.
struct CodeColumn {
  const uint8_t* codes = nullptr;
  uint32_t bins = 0;              // <= 256
  bool one_versus_rest = false;   // splits are "code == c" instead of "code > c"
  uint32_t last_candidate = 255;  // splits at a code above it are not tried
};

struct SymmetricSplit {
  uint32_t column = 0;
  uint8_t code = 0;  // bit 1 where the row's code is above it (one_versus_rest: is it)
};

struct SymmetricTreeOptions {
  int depth = 6;     // <= kMostSymmetricDepth
  double l2 = 3;     // rows' weights added to each leaf, with gradient 0
  double noise = 0;  // standard deviation of what is added to each column's best score
};

constexpr int kMostSymmetricDepth = 8;

class SymmetricTreeGrower {
 public:
  static constexpr size_t kMostOutputs = 15;
  // Floats a row in `statistics`: its weight, then weight × gradient of each output, then zeros.
  static size_t Width(size_t outputs);

  explicit SymmetricTreeGrower(size_t outputs) : outputs_(outputs), width_(Width(outputs)) {}

  // Splits of a tree on the sampled `rows` (ascending; statistics: rows × Width), one a level, fewer where no split helps; their columns
  // index into `columns`. Valid until the next call.
  std::span<const SymmetricSplit> Grow(std::span<const CodeColumn> columns, std::span<const uint32_t> rows,
                                       std::span<const float> statistics, const SymmetricTreeOptions& options, Random* random);

 private:
  struct Leaf {
    size_t begin = 0, end = 0;  // among order_
  };
  struct Candidate {
    double score = 0;
    uint32_t code = 0;
    bool exists = false;
  };
  template <int kWidth>
  void FillHistograms(const CodeColumn& column, float* histograms, size_t level) const;
  template <int kWidth>
  void AddLeavesToScores(const CodeColumn& column, std::span<const float* const> histograms);
  template <int kWidth>
  Candidate BestOf(const CodeColumn& column, float* histograms, size_t level);
  double ScoreOfLeaves(double l2) const;
  void Split(const CodeColumn& column, uint8_t code);

  size_t outputs_, width_;
  double l2_ = 0;
  std::vector<Leaf> leaves_;
  std::vector<uint32_t> order_, right_order_;  // sampled rows, leaf after leaf
  std::vector<float> values_, right_values_;   // their statistics
  std::vector<float> histograms_;              // column after column: leaf, code, width
  std::vector<size_t> first_histogram_;        // of each column
  std::vector<float> left_;                    // leaves side by side × width × bins
  std::vector<float> gain_, norm_, scores_;    // bins each
  std::vector<SymmetricSplit> splits_;
};

// The leaf of each of `rows` rows: bit k is the answer of split k.
void FindLeaves(std::span<const CodeColumn> columns, std::span<const SymmetricSplit> splits, size_t rows, uint8_t* leaves);

}  // namespace everlearn
