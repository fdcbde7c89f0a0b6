// One tree of an aggregated Mondrian forest: it grows with every row, and its prediction is that of all its prunings at once, each weighted
// by the exponential of its past loss.
//
// Mourtada, Gaïffas & Scornet, AMF: Aggregated Mondrian forests for online learning, JRSS B 83 (2021). A row that lies outside of a node's
// box may bring a split above it, the sooner the farther it is (the Mondrian process of Roy & Teh, 2009, which the caller's rates scale).
// The loss is the log-loss of shares smoothed by a Dirichlet prior, or half the squared error of means in deviations of the target.
// A coordinate that is NaN extends no box, and goes where the box was when the split was made. Belongs to one thread; nodes are
// struct-of-arrays; no allocation a row once they are full.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

struct MondrianOptions {
  size_t features = 0;
  size_t classes = 0;  // 0: a value
  double step = 1;
  double prior_rows = 0.2;  // that a node begins with: of all classes alike, or of its parent's mean
  size_t most_nodes = 0;
  size_t outputs() const { return classes > 0 ? classes : 1; }
};

class MondrianTree {
 public:
  static constexpr uint32_t kLeaf = 0xffffffff;

  MondrianTree(const MondrianOptions& options, uint64_t seed);

  // rates: one a feature, how much each unit outside of a box hastens a split. deviation: of the targets, for values.
  void Learn(const float* x, const float* rates, double target, double deviation);
  // 0 or equal shares before the first row.
  void Predict(const float* x, double* out) const;
  // Forgets all.
  void Clear();

  size_t nodes() const { return feature_.size(); }
  bool full() const { return nodes() + 2 > options_.most_nodes; }
  static size_t BytesOfNode(const MondrianOptions& options);

  // For snapshots: the structure, and what each leaf predicts. Only where there are nodes.
  uint32_t root() const { return root_; }
  bool IsLeaf(uint32_t node) const { return feature_[node] == kLeaf; }
  uint32_t feature(uint32_t node) const { return feature_[node]; }
  float threshold(uint32_t node) const { return threshold_[node]; }
  uint32_t left(uint32_t node) const { return left_[node]; }
  uint32_t right(uint32_t node) const { return right_[node]; }
  bool missing_left(uint32_t node) const { return missing_left_[node] != 0; }
  // Of the prediction that is left at a node, the share of the pruning that ends there; and what that says.
  double OwnShare(uint32_t node) const;
  void OwnPrediction(uint32_t node, double* out) const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  double Draw();  // in [0, 1)
  uint32_t Child(uint32_t node, const float* x) const;
  uint32_t AddNode();
  void SetPoint(uint32_t node, const float* x);
  void ExtendBox(uint32_t node, const float* x);
  double Outside(uint32_t node, const float* x, const float* rates);
  bool IsPure(uint32_t node, double target) const;
  uint32_t SplitAbove(uint32_t node, const float* x, double outside, double time);
  void UpdateNode(uint32_t node, double target, double deviation);
  void UpdateTreeWeight(uint32_t node);

  MondrianOptions options_;
  uint64_t seed_, draws_ = 0;
  uint32_t root_ = kLeaf;  // kLeaf: no nodes
  std::vector<uint32_t> feature_, left_, right_;
  std::vector<float> threshold_;
  std::vector<uint8_t> missing_left_;
  std::vector<double> time_;                      // of the split; infinite for leaves
  std::vector<double> log_weight_, tree_weight_;  // of the node's own prediction, and of all prunings under it
  std::vector<float> low_, high_;                 // nodes × features: the box, NaN where no value was known
  std::vector<float> rows_;                       // in a node
  std::vector<double> mean_;                      // of a value, nodes
  std::vector<float> counts_;                     // nodes × classes
  std::vector<uint32_t> path_;                    // of the row that is learnt
  std::vector<float> outside_;
  mutable std::vector<double> own_;
  double prior_;  // rows of each class
};

}  // namespace everlearn
