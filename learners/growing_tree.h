// A decision tree that grows row by row: a leaf is split when its best split is, surely or within a tie, better than the second, and is
// better than none.
//
// Domingos & Hulten, Mining high-speed data streams (2000), with the Hoeffding bound, over the leaves of learners/class_leaf.h; for values
// Ikonomovska, Gama & Džeroski, Learning model trees from evolving data streams (2011), over those of learners/value_leaf.h. The trees of
// forests and the single ones share it. Belongs to one thread; a row allocates only where a leaf is split or first sees a class or
// category.
#pragma once

#include "learner/learner.h"
#include "learners/class_leaf.h"
#include "learners/value_leaf.h"
#include "model/stream_trees.h"

namespace everlearn {

struct GrowingTreeOptions {
  double grace = 200;   // weight of rows between two looks for a split in a leaf
  double delta = 1e-7;  // probability that a split is not the best
  double tie = 0.05;    // below this bound the best split is taken though another is as good
  size_t subspace = 0;  // columns that a leaf watches, drawn at random; 0: all of the tree
  size_t most_bytes = 32 << 20;
  size_t bytes_beside_node = 0;  // that the owner of the tree keeps for each node
};

// As parameters of a learner, with these defaults: grace, delta, tie and memory.
std::vector<Parameter> GrowthParameters(const GrowingTreeOptions& defaults);
GrowingTreeOptions ReadGrowth(const ParameterValues& parameters);

class GrowingTree {
 public:
  // What a tree says about a row: kept by forests between prediction and learning.
  struct Answer {
    uint32_t node = 0;           // the leaf's
    int naive_bayes_class = -1;  // where naive Bayes was asked
  };

  // `columns`: those that the tree uses, ascending.
  GrowingTree(const StreamShape& shape, const GrowingTreeOptions& options, uint64_t seed, std::vector<uint32_t> columns);

  // `from`: a node, the root by default.
  Answer Predict(const PreparedRow& row, const StreamScale& scale, LeafScratch* scratch, double* out, uint32_t from = 0) const;
  // `answer` is that of Predict for this very row since the last Learn.
  void Learn(const PreparedRow& row, const StreamScale& scale, const Answer& answer, double target, double weight, LeafScratch* scratch);

  const std::vector<StreamNode>& nodes() const { return nodes_; }
  size_t bytes() const { return bytes_ + nodes_.size() * options_.bytes_beside_node; }
  uint64_t seed() const { return seed_; }
  // Adds a leaf that belongs to no node yet, and returns its node: the root of another tree in the same memory.
  uint32_t AddRoot();
  // The tree below `by` takes the place of that below `node`, which comes before it.
  void Replace(uint32_t node, uint32_t by) { nodes_[node] = nodes_[by]; }
  // Forgets the nodes that none of the roots leads to. Returns the new place of each old node, kNoSplit where it is forgotten.
  std::vector<uint32_t> Prune(const std::vector<uint32_t>& roots);
  StreamTree Shown() const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  void TrySplit(uint32_t node);
  void Split(uint32_t node, const StreamSplit& split);
  bool IsSure(const SplitSearch& search, double weight, size_t classes) const;
  std::vector<uint32_t> DrawColumns();
  uint32_t AddNode(uint32_t leaf);

  StreamShape shape_;
  std::vector<uint8_t> is_category_;
  GrowingTreeOptions options_;
  uint64_t seed_, leaves_made_ = 0;
  std::vector<uint32_t> columns_;
  std::vector<StreamNode> nodes_;
  std::vector<LearningClassLeaf> class_leaves_;  // of classes; else empty
  std::vector<LearningValueLeaf> value_leaves_;
  size_t bytes_ = 0;  // of the leaves
};

}  // namespace everlearn
