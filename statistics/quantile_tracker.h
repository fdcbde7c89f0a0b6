// Follows a quantile of scores that may drift, so that the part of them above it is, in the long run, the one asked for.
//
// Quantile tracking of conformal PID control (Angelopoulos, Candès & Tibshirani, Conformal PID control for time series prediction, 2023,
// section 2): after each score the threshold rises by a step where it was exceeded, and falls by a small part of that where not. It is the
// newest threshold that is moved so, whatever was announced: where outcomes are late, an announced one that was too small would push once
// for every row that waited, long after it was mended, and swing beyond all bounds. That the announced ones cover as asked is the work of
// the level, which moves slowly and inside bounds with their misses (adaptive conformal inference: Gibbs & Candès, Adaptive conformal
// inference under distribution shift, 2021). Value type; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class QuantileTracker {
 public:
  // `step`: of the threshold at a score that exceeds it, in usual scores. Small where many scores may come at once.
  explicit QuantileTracker(double coverage = 0.9, double step = 0.05) : coverage_(coverage), step_(step), level_(coverage) {}

  // Scores that are known beforehand (≥ 0, finite), of out-of-fold residuals say: split conformal prediction (Lei, G'Sell, Rinaldo,
  // Tibshirani & Wasserman, Distribution-free predictive inference for regression, 2018), from which tracking goes on. Before any Add.
  void Begin(std::vector<double> scores);
  // A score (≥ 0, finite), and the threshold that had been announced for it; NaN where none was.
  void Add(double score, double announced);
  // The threshold for the next score; NaN while too few are known.
  double Get() const;
  double coverage() const { return coverage_; }
  // Of the scores with an announced threshold.
  uint64_t rows() const { return rows_; }
  uint64_t covered() const { return covered_; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  double coverage_, step_;
  double level_;  // the quantile that is followed
  double threshold_ = 0;
  double scale_ = 0;           // forgetting mean of the scores: what a step is measured in
  std::vector<double> first_;  // scores before there was a threshold
  uint64_t rows_ = 0, covered_ = 0;
};

}  // namespace everlearn
