// Grows one small regression tree on gradients and hessians of binned rows: level by level, from histograms, to a fixed depth.
//
// Chen & Guestrin, XGBoost: a scalable tree boosting system (2016), equations 6 and 7; sets of categories after Fisher, On grouping for
// maximum homogeneity (1958): they are sorted by their mean. Results are the same on every machine. A grower belongs to one thread and
// allocates nothing once warm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace everlearn {

constexpr size_t kMostTreeBins = 64;

// Row after row; the last bin of a feature holds what is missing (a category: or new).
struct BinnedRows {
  const uint8_t* codes;
  size_t rows, features;
};

struct BinnedFeature {
  uint32_t bins = 1;  // at most kMostTreeBins
  bool is_category = false;
};

// Bins that go left; the last bin of a category never does.
struct BinSplit {
  static constexpr uint32_t kNone = 0xffffffff;
  uint32_t feature = kNone;  // kNone: all go left
  uint64_t left = ~uint64_t{0};
};

struct HistogramTreeOptions {
  size_t depth = 5;  // at most 8
  double l2 = 1;
  double least_hessian = 1;  // of a child
  double least_rows = 5;
};

class HistogramTreeGrower {
 public:
  explicit HistogramTreeGrower(const HistogramTreeOptions& options) : options_(options) {}

  // splits: 2^depth - 1, the children of i are 2i + 1 and 2i + 2. leaf_of_row: 0 … 2^depth - 1. `used`: features that may be split on.
  void Grow(const BinnedRows& rows, const std::vector<BinnedFeature>& features, const std::vector<uint32_t>& used, const float* gradients,
            const float* hessians, std::vector<BinSplit>* splits, std::vector<uint8_t>* leaf_of_row);

 private:
  struct Sums {
    float gradient = 0, hessian = 0, rows = 0;
  };
  struct Best {
    double gain = 0;
    BinSplit split;
  };
  void Fill(const BinnedRows& rows, const std::vector<uint32_t>& used, const float* gradients, const float* hessians,
            const std::vector<uint8_t>& node_of_row, size_t nodes);
  void TryFeature(const Sums* bins, const BinnedFeature& feature, uint32_t number, const Sums& total, Best* best);
  void TrySplit(const Sums& left, const Sums& total, uint32_t number, uint64_t mask, Best* best) const;
  double Score(double gradient, double hessian) const { return gradient * gradient / (hessian + options_.l2); }

  HistogramTreeOptions options_;
  std::vector<Sums> sums_;         // nodes of a level × bins of the used features
  std::vector<uint32_t> offsets_;  // of the used features in it
  std::vector<uint8_t> order_;     // of the bins of a category
};

}  // namespace everlearn
