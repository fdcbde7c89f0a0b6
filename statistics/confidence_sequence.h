// Confidence sequences for a mean: intervals that hold at all times at once.
//
// Bounded: predictable plug-in empirical Bernstein (Waudby-Smith & Ramdas 2024, section 3.2), closed form. Asymptotic: for unbounded values
// (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, Time-uniform central limit theory, 2024). Value types; one thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace everlearn {

struct Interval {
  double value, lower, upper;
};

class BoundedMeanSequence {
 public:
  // Values lie in [low, high] (clipped); the interval covers at all times with probability 1 − alpha.
  BoundedMeanSequence(double low = -1, double high = 1, double alpha = 0.05);
  void Add(double x);
  Interval Get() const;  // value: the plain mean; [low, high] while empty
  uint64_t rows() const { return rows_; }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

 private:
  double low_, high_, alpha_;
  uint64_t rows_ = 0;
  double sum_ = 0, squares_ = 0, weighted_ = 0, weights_ = 0, penalty_ = 0;
};

class AsymptoticMeanSequence {
 public:
  explicit AsymptoticMeanSequence(double alpha = 0.05) : alpha_(alpha) {}
  void Add(double x);
  Interval Get() const;  // infinite while fewer than two rows
  uint64_t rows() const { return rows_; }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

 private:
  double alpha_;
  uint64_t rows_ = 0;
  double mean_ = 0, spread_ = 0;  // Welford
};

}  // namespace everlearn
