// Grows decision trees on the shared codes: the best split of every feature (CART), or one random split of each feature that is drawn
// (extremely randomised trees). One tree predicts all classes: its leaves hold their shares.
//
// Breiman, Friedman, Olshen & Stone, Classification and regression trees, 1984: squared error, Gini impurity; a category's levels are cut
// in the order of their mean target (binary and regression: the best of all cuts). Geurts, Ernst & Wehenkel, Extremely randomized trees,
// Machine Learning 63, 2006; a threshold is drawn among the bins that the node's rows span. Immutable: many threads may grow at once.
#pragma once

#include <vector>

#include "base/random.h"
#include "learner/learner.h"
#include "model/trees.h"

namespace everlearn {

struct GrowthOptions {
  bool random_splits = false;
  double feature_fraction = 1;  // share of the features that a node draws; those that are constant in it do not count
  int64_t leaves = 31;          // most leaves; of several nodes the one that gains most is split first
  int64_t max_depth = 0;        // 0: no limit
  int64_t min_rows = 1;         // fewest training rows in a leaf
  double prior_rows = 1;        // rows of average class shares that are added to each leaf
};

class TreeGrower {
 public:
  // The training data outlives the grower; some row has a weight.
  TreeGrower(const TrainingRows& training, const GrowthOptions& options);

  // The rows that have a weight, ascending.
  const std::vector<uint32_t>& rows() const { return rows_; }
  // One tree on some of rows() (ascending), as an ensemble whose outputs are averages of leaves.
  TreesParameters Grow(std::vector<uint32_t> rows, Random* random) const;

 private:
  friend class TreeGrowth;

  const Dataset& data_;
  GrowthOptions options_;
  std::vector<uint32_t> rows_;
  std::vector<double> target_, weight_;  // one a row of the data set: class or standardised value; weight of mean 1
  std::vector<double> prior_;            // shares of the classes
  double mean_ = 0, scale_ = 1;          // of a regression's target
};

// Cost in units of 10 ms of one core: in each of about log2(leaves) levels a node reads the codes of the features that it tries twice.
double ForestGrowthCostUnits(double rows, double features_tried, double outputs, double trees, double leaves);

// Adds the trees of `more` to an ensemble of the same shape.
void AppendTrees(const TreesParameters& more, TreesParameters* all);

}  // namespace everlearn
