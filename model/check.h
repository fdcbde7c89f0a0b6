// Checks of model parameters that come from a file: what does not hold is damage, never an assertion.
//
// Pure functions, safe from any thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace everlearn {

// Throws kDamaged, saying `otherwise`, unless `holds`.
inline void CheckModel(bool holds, const char* otherwise) {
  if (!holds) throw Error(ErrorKind::kDamaged, otherwise);
}

inline bool AllFinite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

template <typename T>
std::vector<T> ToVector(std::span<const T> values) {
  return {values.begin(), values.end()};
}

}  // namespace everlearn
