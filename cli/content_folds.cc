#include "cli/content_folds.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/hash.h"
#include "base/random.h"

namespace everlearn {
namespace {

// How many rows before each have its key.
std::vector<uint32_t> EqualBefore(std::span<const uint64_t> keys) {
  std::vector<uint32_t> order(keys.size()), before(keys.size(), 0);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  for (size_t i = 1; i < order.size(); ++i)
    if (keys[order[i]] == keys[order[i - 1]]) before[order[i]] = before[order[i - 1]] + 1;
  return before;
}

}  // namespace

std::vector<uint64_t> ContentKeys(const FeatureSpace& space, std::span<const double> values) {
  const size_t features = space.size(), rows = features == 0 ? 0 : values.size() / features;
  std::vector<uint64_t> keys(rows, 0);
  for (size_t j = 0; j < features; ++j) {
    const Feature& feature = space.features()[j];
    if (feature.part == FeaturePart::kText) continue;
    std::vector<uint64_t> texts;
    for (const std::string& text : feature.dictionary) texts.push_back(HashBytes(text));
    for (size_t i = 0; i < rows; ++i) {
      const double value = values[i * features + j];
      const bool known = value >= 0 && value < static_cast<double>(texts.size());
      // All missing values are one, and so are both zeros.
      const uint64_t bits = std::isnan(value) ? 1 : std::bit_cast<uint64_t>(value + 0.0);
      keys[i] = MixBits(keys[i] ^ MixBits((known ? texts[static_cast<size_t>(value)] : bits) + j));
    }
  }
  return keys;
}

std::vector<Fold> ContentFolds(std::span<const uint64_t> keys, std::span<const double> target, size_t classes, int count, uint64_t seed) {
  constexpr double kLeastShare = 0.8;
  if (keys.empty()) return {};  // no features, no content
  const auto parts = static_cast<size_t>(count);
  const size_t groups = std::max<size_t>(1, classes);
  std::vector<Fold> folds(parts);
  std::vector<double> rows(parts * groups), all(groups);
  const std::vector<uint32_t> before = EqualBefore(keys);
  for (uint32_t i = 0; i < keys.size(); ++i) {
    const uint64_t place = before[i] == 0 ? 0 : MixBits(before[i]);
    const size_t part = MixBits(keys[i] ^ MixBits(seed + 1 + place)) % parts;
    for (size_t k = 0; k < parts; ++k) (k == part ? folds[k].validation : folds[k].train).push_back(i);
    const size_t group = classes > 0 ? static_cast<size_t>(target[i]) : 0;
    ++rows[part * groups + group];
    ++all[group];
  }
  for (size_t k = 0; k < parts; ++k)
    for (size_t g = 0; g < groups; ++g)
      if (rows[k * groups + g] < kLeastShare * all[g] / static_cast<double>(parts)) return {};
  return folds;
}

}  // namespace everlearn
