// Detects that the mean of a bounded difference became positive: an e-detector (Shin, Ramdas & Rinaldo, E-detectors, 2023),
// Shiryaev–Roberts form.
//
// M_t = (M_{t-1} + 1)(1 + λ x_t), mixed over bets λ. With every mean ≤ 0 (given what was known before) the mean number of rows until
// Value() ≥ A is at least A.
//
// Value type; one thread; O(bets) a row and a value, without allocation.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "statistics/bets.h"

namespace everlearn {

class EDetector {
 public:
  void Add(double x);    // in [-1, 1], clipped; NaN says nothing and counts as 0
  double Value() const;  // 0 at first; stops growing at about 1e300
  uint64_t rows() const { return rows_; }
  void Reset() { *this = EDetector(); }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  uint64_t rows_ = 0;
  std::array<double, kBets> sums_{};
};

}  // namespace everlearn
