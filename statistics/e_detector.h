// Detects that the mean of a bounded difference became positive: an e-detector (Shin, Ramdas & Rinaldo, E-detectors, 2023),
// Shiryaev–Roberts form.
//
// M_t = (M_{t-1} + 1)(1 + λ x_t), mixed over bets λ. With every mean ≤ 0 the mean time until Value() ≥ A is at least A. Value type; one
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class EDetector {
 public:
  EDetector();
  void Add(double x);  // in [-1, 1], clipped
  double Value() const;
  uint64_t rows() const { return rows_; }
  void Reset();
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

 private:
  uint64_t rows_ = 0;
  std::vector<double> sums_;  // one a bet
};

}  // namespace everlearn
