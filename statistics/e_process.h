// Anytime-valid evidence that a bounded difference has a positive mean: a betting e-process.
//
// x_1, x_2, … in [-1, 1]; the hypothesis says that every mean, given what was known before, is ≤ 0. Under it E[Value()] ≤ 1 at any stopping
// time, so Value() ≥ 1/α happens with probability ≤ α, ever (Ville). Bets are fixed fractions λ, mixed (Waudby-Smith & Ramdas, Estimating
// means of bounded random variables by betting, 2024), which are predictable however late outcomes arrive; and mixed over geometric start
// times with weights 6/(π²k²), so that an immature start is forgotten (Henzi & Ziegel 2022; Choe & Ramdas, Comparing Sequential
// Forecasters, 2023). Value type; one thread; O(bets × starts) a row without allocation.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class EProcess {
 public:
  EProcess();
  void Add(double x);       // clipped to [-1, 1]
  double LogValue() const;  // natural logarithm of the mixture
  double Value() const;     // may be +infinity
  uint64_t rows() const { return rows_; }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

 private:
  uint64_t rows_ = 0;
  uint64_t next_start_ = 1;
  std::vector<double> log_wealth_;  // start-major, one a bet
};

}  // namespace everlearn
