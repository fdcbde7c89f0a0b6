// Features made from others before another model: sums, differences, products and ratios of two numbers, and how far a number lies from
// the mean of its category.
//
// In the manner of TabPrep and of Kaggle's tables: Kanter & Veeramachaneni, Deep feature synthesis, DSAA 2015; Chen & Guestrin's trees take
// many splits for what one such feature says. Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/model.h"

namespace everlearn {

struct GeneratedFeature {
  enum Kind : uint8_t { kSum, kDifference, kProduct, kRatio, kFromGroupMean };
  Kind kind = kSum;
  uint32_t a = 0, b = 0;            // of the original features; kFromGroupMean: a number and a category
  std::vector<double> group_means;  // kFromGroupMean: of a, one a category of b
  double mean = 0;                  // of a, for categories beyond those and missing ones

  // Missing where a number is, or where the result is not finite.
  double Of(const double* row) const;
};

struct GeneratedFeaturesParameters {
  size_t features = 0;
  std::vector<GeneratedFeature> generated;
  std::shared_ptr<const Model> inner;  // of `features` features and behind them the generated ones
};

// Throws kDamaged, saying what is wrong, unless the parameters are as described above.
std::shared_ptr<const Model> MakeGeneratedFeatures(GeneratedFeaturesParameters parameters);

}  // namespace everlearn
