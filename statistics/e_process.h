// Anytime-valid evidence that a bounded difference has a positive mean: a betting e-process.
//
// x_1, x_2, … in [-1, 1]; the hypothesis says that every mean, given what was known before, is ≤ 0. Under it E[Value()] ≤ 1 at any stopping
// time, so Value() ≥ 1/α happens with probability ≤ α, ever (Ville). Bets are fixed fractions λ, mixed (Waudby-Smith & Ramdas, Estimating
// means of bounded random variables by betting, 2024), which are predictable however late outcomes arrive; and mixed over the start times
// 1, 2, 4, 8, … with weights 6/(π²k²), so that an immature start is forgotten (Henzi & Ziegel 2022; Choe & Ramdas, Comparing Sequential
// Forecasters, 2023). Weight whose start is still to come counts with value 1.
//
// Value type; one thread; O(bets) a row and a value, without allocation.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "statistics/bets.h"

namespace everlearn {

class EProcess {
 public:
  EProcess() { shares_.fill(1.0 / kBets); }
  void Add(double x);       // clipped to [-1, 1]; NaN says nothing and counts as 0
  double LogValue() const;  // natural logarithm of the mixture; exact where Value() is infinite or 0
  double Value() const;     // may be +infinity
  uint64_t rows() const { return rows_; }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  void Start();
  void Rescale();
  double ScaledValue() const;

  uint64_t rows_ = 0;
  uint64_t starts_ = 0;  // how many have begun
  double waiting_ = 1;   // weight of the starts to come
  // All starts of one bet are multiplied by the same factor, so their weighted wealth is one number: wealth_ × 2^exponents_.
  std::array<double, kBets> wealth_{};
  std::array<int64_t, kBets> exponents_{};
  // The value is (Σ shares_ × wealth_ + waiting_ × 2^-exponent_) × 2^exponent_; both follow from exponents_.
  std::array<double, kBets> shares_;
  int64_t exponent_ = 0;
};

}  // namespace everlearn
