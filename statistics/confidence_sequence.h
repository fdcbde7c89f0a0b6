// Confidence sequences for a mean: intervals that hold at all times at once.
//
// What is covered is the average of the means that the rows had, each given what was known before it, so drift is allowed.
// Bounded: empirical Bernstein (Howard, Ramdas, McAuliffe & Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, 2021,
// theorem 4), with a union of linear boundaries. Asymptotic: for unbounded values (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas,
// Time-uniform central limit theory, 2024, theorem 2.2). Value types; one thread; a few nanoseconds a row.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace everlearn {

struct Interval {
  double value, lower, upper;
};

class BoundedMeanSequence {
 public:
  // Values lie in [low, high], low < high (clipped); the interval covers at all times with probability 1 − alpha.
  explicit BoundedMeanSequence(double low = -1, double high = 1, double alpha = 0.05) : low_(low), high_(high), alpha_(alpha) {}
  void Add(double x);    // NaN counts as the middle
  Interval Get() const;  // value: the mean, the middle while empty; inside [low, high]
  uint64_t rows() const { return rows_; }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  double low_, high_, alpha_;
  uint64_t rows_ = 0;
  double sum_ = 0;       // of values scaled to [0, 1]
  double variance_ = 0;  // sum of their squared distances from the mean of the rows before
};

class AsymptoticMeanSequence {
 public:
  explicit AsymptoticMeanSequence(double alpha = 0.05) : alpha_(alpha) {}
  void Add(double x);    // finite
  Interval Get() const;  // infinite in the first rows (kFirstRow) and while all are equal
  // Half the width at so many rows of this variance.
  static double Radius(double variance, double rows, double alpha);
  uint64_t rows() const { return rows_; }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

  // The variance of fewer rows cannot be trusted.
  static constexpr uint64_t kFirstRow = 50;

 private:
  double alpha_;
  uint64_t rows_ = 0;
  double mean_ = 0, spread_ = 0;  // Welford
};

}  // namespace everlearn
