// Linear models over hashed features (Weinberger et al. 2009, Feature Hashing for Large Scale Multitask Learning), without signs.
//
// A number x of feature j has the value (x - mean) / scale at HashedIndex(j, kHashedNumber), a missing one the value 1 at
// HashedIndex(j, kHashedMissing); a category has the value 1 at HashedIndex(j, code). The online learner and the model use these very
// functions. Models are immutable.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "base/random.h"
#include "model/link.h"
#include "model/model.h"

namespace everlearn {

constexpr uint64_t kHashedNumber = (uint64_t{1} << 40) - 1;
constexpr uint64_t kHashedMissing = (uint64_t{1} << 40) - 2;
constexpr int kMaxHashedBits = 30;

// Place of a feature's part in a table of mask + 1 (a power of two) weights. Codes are below 2^40.
inline uint32_t HashedIndex(size_t feature, uint64_t code_or_special, uint32_t mask) {
  return static_cast<uint32_t>(MixBits((static_cast<uint64_t>(feature) << 40) + code_or_special)) & mask;
}

// How the values of a row are read.
struct HashedFeatures {
  std::vector<uint8_t> is_category;  // one a feature; so too mean and scale, which categories do not use
  std::vector<double> mean, scale;   // finite, scale not 0
  int bits = 18;                     // 1 … kMaxHashedBits
  double limit = 1e6;                // scaled numbers are held inside ±limit
  uint32_t mask() const { return (uint32_t{1} << bits) - 1; }
};

// Calls visit(index, value) for each feature of a row, in order.
template <typename Visit>
void ForEachHashed(const HashedFeatures& features, const double* row, Visit&& visit) {
  const uint32_t mask = features.mask();
  for (size_t j = 0; j < features.is_category.size(); ++j) {
    const double x = row[j];
    if (std::isnan(x)) {
      visit(HashedIndex(j, kHashedMissing, mask), 1.0);
    } else if (features.is_category[j]) {
      const bool valid = x >= 0 && x < static_cast<double>(kHashedMissing);
      visit(HashedIndex(j, valid ? static_cast<uint64_t>(x) : kHashedMissing, mask), 1.0);
    } else {
      const double scaled = (x - features.mean[j]) / features.scale[j];
      visit(HashedIndex(j, kHashedNumber, mask), std::clamp(scaled, -features.limit, features.limit));
    }
  }
}

struct HashedLinearParameters {
  HashedFeatures features;
  size_t outputs = 1;
  Link link = Link::kIdentity;    // kIdentity, kSigmoid (one score, two outputs) or kSoftmax
  std::vector<double> bias;       // one a score
  std::vector<uint32_t> indices;  // where a weight is not 0: ascending, below 2^bits
  std::vector<double> weights;    // indices × scores
};

// score = bias + sum of value × weight, in the order of ForEachHashed; then the link. Throws kDamaged where sizes, order or numbers are
// wrong.
std::shared_ptr<const Model> MakeHashedLinearModel(HashedLinearParameters parameters);

}  // namespace everlearn
