// Ensembles of symmetric (oblivious) trees: one test a level, so that a leaf's number is the bits of the answers; a leaf holds one value a
// score.
//
// Prokhorenkova et al., CatBoost: unbiased boosting with categorical features, 2018. Tests compare ranks of the values among the
// thresholds of the ensemble; batches make one test for 64 rows at once. Models are immutable; one row and batches add the same numbers
// in the same order, so results are equal bit for bit.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/link.h"
#include "model/model.h"

namespace everlearn {

constexpr size_t kMostSymmetricLevels = 8;

struct SymmetricTreesParameters {
  size_t features = 0;
  size_t outputs = 1;
  Link link = Link::kIdentity;
  std::vector<double> bias;    // one a score: where the sums begin
  std::vector<uint8_t> depth;  // one a tree: its tests, at most kMostSymmetricLevels

  // Tests, tree after tree. Test k sets bit k of the leaf where x > threshold; a missing x is below every number, so a threshold of
  // -infinity asks whether it is there. With `equal` it is set where x == threshold, or, for -infinity, where x is missing.
  std::vector<uint32_t> feature;
  std::vector<double> threshold;
  std::vector<uint8_t> equal;

  std::vector<double> leaf_values;  // tree after tree: 2^depth leaves × scores
};

// Throws kDamaged, saying what is wrong, unless the parameters are as described above.
std::shared_ptr<const Model> MakeSymmetricTrees(SymmetricTreesParameters parameters);

}  // namespace everlearn
