// Folds by what rows hold: a row is validated in the same fold whenever a table that has grown at its end is read again, so that the fold
// models of an earlier search have not seen the rows that they are measured on. Of equal rows the first, the second and so on are dealt out
// apart, as rows drawn at random would be: where rows come again, a model that remembers them is as good as it looks.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/folds.h"
#include "model/feature_space.h"

namespace everlearn {

// A number for each row of `values` (rows × space.size()), equal for rows with equal features: numbers by their bits, categories by their
// text. N-grams of texts are left out: which ones are features changes as a table grows.
std::vector<uint64_t> ContentKeys(const FeatureSpace& space, std::span<const double> values);

// Fold by key, seed and the number of rows of the same key before. Empty where folds would be uneven (fewer than four fifths of an even
// share of the rows, or of a class of `target`, where `classes` > 0): few rows, or no features.
std::vector<Fold> ContentFolds(std::span<const uint64_t> keys, std::span<const double> target, size_t classes, int count, uint64_t seed);

}  // namespace everlearn
