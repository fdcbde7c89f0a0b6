// A leaf of a tree that learns classes from a stream: what it knows of the rows that came to it, and the best split of them.
//
// Numbers are kept as a normal distribution a class and column with its least and largest value, ten thresholds between them are tried
// (Pfahringer, Holmes & Kirkby, Handling numeric attributes in Hoeffding trees, 2008); categories as counts, tried one against the rest.
// The measure is the information gain. Rows where a column is missing go to the side of its split where they belong by their classes.
// Belongs to one thread; allocates only when a class or a category is new.
#pragma once

#include "base/bytes.h"
#include "model/stream_leaves.h"

namespace everlearn {

struct StreamSplit {
  double merit = 0;  // of no split
  uint32_t feature = kNoSplit;
  uint32_t flags = 0;  // as in StreamNode
  double threshold = 0;
};

struct SplitSearch {
  StreamSplit best;
  double second = 0;  // merit of the best split of another column, or of no split
  // Twice the logarithm of how much likelier the targets are with the best split than with none, and how many numbers it adds.
  double evidence = 0, freedom = 1;

  // But for this probability: of noise the evidence is a χ² of so many degrees of freedom (Wilks, The large-sample distribution of the
  // likelihood ratio, 1938), whose quantile Laurent & Massart (2000, lemma 1) hold from above.
  bool IsBetterThanNone(double level) const {
    const double x = std::log(1 / level);
    return evidence > freedom + 2 * std::sqrt(freedom * x) + 2 * x;
  }
  // With the best split of a further column.
  void Compare(const StreamSplit& split) {
    if (split.feature == kNoSplit) return;
    second = std::max(second, std::min(split.merit, best.merit));
    if (split.merit > best.merit) best = split;
  }
};

class LearningClassLeaf {
 public:
  ClassLeaf shown;

  LearningClassLeaf() = default;
  // Gives its rows' classes the weights that its part of a split had; watches `columns`.
  LearningClassLeaf(std::vector<double> weights, std::span<const uint32_t> columns, const std::vector<uint8_t>& is_category);

  // `naive_bayes_says`: the class, or a negative number where it was not asked.
  void Learn(const double* values, size_t target, double weight, int naive_bayes_says, bool may_grow);
  bool pure() const { return shown.classes.size() < 2; }
  double weight() const { return weight_; }  // with what it was given
  size_t majority() const { return majority_; }
  SplitSearch Search() const;
  // Weights of the classes on both sides.
  void Divide(const StreamSplit& split, std::vector<double>* left, std::vector<double>* right) const;
  size_t bytes() const { return bytes_; }

  void Save(ByteWriter* out) const;
  // Throws kDamaged where it is none of so many classes and these columns.
  void Load(ByteReader* in, size_t classes, const std::vector<uint8_t>& is_category);

  double next_attempt = 0;  // at this weight() a split is looked for

 private:
  struct Sides;
  void CountBytes();
  int SlotOf(size_t target, bool may_grow);
  void LearnNumbers(const double* values, size_t slot, double weight);
  void LearnCategories(const double* values, size_t slot, double weight, bool may_grow);
  void SearchNumber(size_t j, Sides* sides, StreamSplit* best) const;
  void SearchCategory(size_t j, Sides* sides, StreamSplit* best) const;
  void FillNumber(size_t j, double threshold, Sides* sides) const;
  void FillCategory(size_t j, uint32_t category, Sides* sides) const;

  std::vector<double> seen_;    // weights of the rows that came, one a slot
  std::vector<double> ranges_;  // slots × 2 × numbers: least and largest
  std::vector<int16_t> slot_;   // of each class, or -1
  double weight_ = 0, majority_right_ = 0, naive_bayes_right_ = 0;
  size_t majority_ = 0, bytes_ = 0;
};

}  // namespace everlearn
