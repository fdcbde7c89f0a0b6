// Sharpens or softens the probabilities of several classes by what happened: the scores under a softmax are multiplied by one number, which
// learns one outcome at a time.
//
// Guo, Pleiss, Sun & Weinberger, On calibration of modern neural networks (2017), fitted as statistics/platt_scaling.h is: one Newton step
// on the log-loss an outcome, with forgetting. Starts at 1. Value type; one thread.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace everlearn {

class TemperatureScaling {
 public:
  // What scores are multiplied by, the inverse of the temperature: from 0.001 to 20.
  double Get() const { return inverse_; }
  // `probabilities`: the softmax of Get() · scores.
  void Add(const double* scores, const double* probabilities, size_t classes, size_t happened);

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr double kPrior = 10;  // curvature of the beginning, as of some dozen outcomes
  double inverse_ = 1, curvature_ = kPrior;
};

}  // namespace everlearn
