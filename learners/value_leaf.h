// A leaf of a tree that learns a value from a stream: what it knows of the rows that came to it, and the split that lowers the variance
// most.
//
// Ikonomovska, Gama & Džeroski, Learning model trees from evolving data streams (2011). Its first rows place the bins of every number, at
// their quantiles; from then on a row costs a search for its bin and three sums. Categories are tried one against the rest; rows where a
// column is missing go to the side of its split whose mean is nearer. The prediction is the mean or a linear model of all columns,
// whichever was nearer of late. Belongs to one thread; allocates only when the bins are placed or a category is new.
#pragma once

#include "base/bytes.h"
#include "learners/class_leaf.h"
#include "model/stream_leaves.h"

namespace everlearn {

class LearningValueLeaf {
 public:
  ValueLeaf shown;

  LearningValueLeaf() = default;
  // Begins with the prediction `like`, which has `weight`, and watches `columns`.
  LearningValueLeaf(ValueLeaf like, double weight, std::span<const uint32_t> columns, const std::vector<uint8_t>& is_category);

  // Where it may not grow, it learns what it has room for: no bins are placed, and a new category counts as all others.
  void Learn(const PreparedRow& row, double target, double weight, bool may_grow);
  bool pure() const { return !(seen_.squares > 0) || !placed_; }
  double weight() const { return weight_; }
  SplitSearch Search() const;
  // Weight and mean of both sides.
  void Divide(const StreamSplit& split, double weights[2], double means[2]) const;
  size_t bytes() const { return bytes_; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in, const std::vector<uint8_t>& is_category);  // throws kDamaged

  double next_attempt = 0;

 private:
  // Of targets less the first one, which keeps the squares exact.
  struct Sums {
    double weight = 0, sum = 0, squares = 0;
    void Add(double value, double w) {
      weight += w;
      sum += w * value;
      squares += w * value * value;
    }
    void operator+=(const Sums& other) {
      weight += other.weight;
      sum += other.sum;
      squares += other.squares;
    }
    Sums operator-(const Sums& other) const { return {weight - other.weight, sum - other.sum, squares - other.squares}; }
  };
  void LearnModels(const PreparedRow& row, double target, double weight);
  void CountBytes();
  void PlaceBins();
  void AddToBins(const double* values, double target, double weight, bool may_grow);
  // Merit of a split whose left side is `left`, without the missing ones.
  StreamSplit Split(const Sums& left, const Sums& missing, uint32_t feature, uint32_t flags, double threshold) const;
  StreamSplit SearchNumber(size_t j) const;
  StreamSplit SearchCategory(size_t j) const;

  double weight_ = 0, mean_error_ = 0, linear_error_ = 0, shift_ = 0;
  uint64_t rows_ = 0;
  size_t bytes_ = 0;
  bool placed_ = false;
  Sums seen_;
  std::vector<uint32_t> numbers_, categories_;
  std::vector<double> first_;             // rows × (numbers, categories, target, weight), until the bins are placed
  std::vector<double> edges_;             // numbers × (kBins - 1): a bin holds what is above the edge before it, up to its own
  std::vector<Sums> bins_;                // numbers × (kBins, then missing)
  std::vector<std::vector<Sums>> slots_;  // of each category column: missing, then one a category slot
};

}  // namespace everlearn
