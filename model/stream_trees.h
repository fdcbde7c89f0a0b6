// A committee of trees that grew on a stream: the mean of what they say, each with its weight; probabilities
// sharpened or softened by a power. Immutable; safe to use from any thread.
#pragma once

#include <memory>

#include "model/model.h"
#include "model/stream_leaves.h"

namespace everlearn {

struct StreamTree {
  double weight = 1;
  std::vector<StreamNode> nodes;        // the first is the root; a node stands before those below it
  std::vector<ClassLeaf> class_leaves;  // where classes are predicted, else value_leaves
  std::vector<ValueLeaf> value_leaves;
};

struct StreamTreesParameters {
  size_t classes = 0;    // 0: a value
  double sharpness = 1;  // power of the mean probabilities
  StreamScale scale;
  std::vector<StreamTree> trees;
};

// Throws kDamaged unless there is a root, features are below their count, and each node leads to later ones or a leaf, no two to the same.
void CheckStreamNodes(const std::vector<StreamNode>& nodes, size_t features, size_t leaves);

// Throws kDamaged where sizes, places or numbers are wrong.
std::shared_ptr<const Model> MakeStreamTrees(StreamTreesParameters parameters);

}  // namespace everlearn
