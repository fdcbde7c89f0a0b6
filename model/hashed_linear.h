// Linear models over hashed features (Weinberger et al. 2009, Feature Hashing for Large Scale Multitask Learning), without signs.
//
// A number x of feature j has the value (x - mean) / scale at the place of FeatureHash(j, kHashedNumber), a missing one the value 1 at that
// of FeatureHash(j, kHashedMissing); a category has the value 1 at that of FeatureHash(j, code). With crosses, the product of each two
// values of a row that are not 0, and the square of each number, is a value too. The online learners and the model use these very
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

// Of a feature's number, or of one of its codes, which are below 2^40.
inline uint64_t FeatureHash(size_t feature, uint64_t code_or_special) {
  return MixBits((static_cast<uint64_t>(feature) << 40) + code_or_special);
}

// Place in a table of mask + 1 (a power of two) weights.
inline uint32_t PlaceOf(uint64_t hash, uint32_t mask) { return static_cast<uint32_t>(hash) & mask; }

// The code of a category's value; what is none counts as missing.
inline uint64_t CategoryCode(double value) {
  return value >= 0 && value < static_cast<double>(kHashedMissing) ? static_cast<uint64_t>(value) : kHashedMissing;
}

// How the values of a row are read.
struct HashedFeatures {
  std::vector<uint8_t> is_category;  // one a feature; so too mean and scale, which categories do not use
  std::vector<double> mean, scale;   // finite, scale not 0
  int bits = 18;                     // 1 … kMaxHashedBits
  double limit = 1e6;                // scaled numbers are held inside ±limit
  uint32_t mask() const { return (uint32_t{1} << bits) - 1; }
};

struct HashedValue {
  uint64_t hash;
  double value;
  bool number;  // its square is a cross
};

// Calls visit(value) for each feature of a row, in order.
template <typename Visit>
void ForEachHashed(const HashedFeatures& features, const double* row, Visit&& visit) {
  for (size_t j = 0; j < features.is_category.size(); ++j) {
    const double x = row[j];
    if (features.is_category[j] || std::isnan(x)) {
      const uint64_t code = features.is_category[j] ? CategoryCode(x) : kHashedMissing;
      visit(HashedValue{FeatureHash(j, code), 1.0, false});
    } else {
      const double scaled = (x - features.mean[j]) / features.scale[j];
      visit(HashedValue{FeatureHash(j, kHashedNumber), std::clamp(scaled, -features.limit, features.limit), true});
    }
  }
}

// Keeps as many values, those of the smallest hashes, as have at most `most_crosses` crosses. None of them is 0.
void KeepCrossed(size_t most_crosses, std::vector<HashedValue>* values);

// Calls visit(place, product) for each cross, in a table of 2^bits weights.
template <typename Visit>
void ForEachCross(const std::vector<HashedValue>& values, int bits, Visit&& visit) {
  const int shift = 64 - bits;
  for (size_t i = 0; i < values.size(); ++i) {
    const HashedValue& a = values[i];
    if (a.number) visit(static_cast<uint32_t>((a.hash + a.hash) >> shift), a.value * a.value);
    for (size_t j = i + 1; j < values.size(); ++j)
      visit(static_cast<uint32_t>((a.hash + values[j].hash) >> shift), a.value * values[j].value);
  }
}

struct HashedLinearParameters {
  HashedFeatures features;
  size_t most_crosses = 0;  // of a row; 0: there are none
  size_t outputs = 1;
  Link link = Link::kIdentity;    // kIdentity, kSigmoid (one score, two outputs) or kSoftmax
  std::vector<double> bias;       // one a score
  std::vector<uint32_t> indices;  // where a weight is not 0: ascending, below 2^bits
  std::vector<double> weights;    // indices × scores
};

// score = bias + sum of value × weight; then the link. Throws kDamaged where sizes, order or numbers are
// wrong.
std::shared_ptr<const Model> MakeHashedLinearModel(HashedLinearParameters parameters);

}  // namespace everlearn
