// The mean of dependent rows with a confidence sequence: rows that may share a cause form a block, and only blocks are independent
// evidence.
//
// A block holds the rows that were predicted before its first row had counted (the same rule as loop/evidence.h). The estimand is the mean
// over rows; its error is that of a ratio of two sums over blocks (Cochran, Sampling Techniques, 1977, section 6.3), inside the asymptotic
// confidence sequence of confidence_sequence.h. Value type; one thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "statistics/confidence_sequence.h"

namespace everlearn {

class BlockMeanSequence {
 public:
  // `informed`: rows that had counted when this one was predicted; `counted`: rows that have counted before it. `x` is finite.
  void Add(double x, uint64_t informed, uint64_t counted);
  // Infinite bounds while there are too few blocks (AsymptoticMeanSequence::kFirstRow).
  Interval Get() const;
  uint64_t rows() const { return rows_ + block_rows_; }
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr double kAlpha = 0.05;
  double shift_ = 0;  // the first value: keeps the digits of the squares
  // Complete blocks: their number, rows and sums, and the squares and products of these.
  uint64_t blocks_ = 0, rows_ = 0;
  double sum_ = 0, squares_ = 0, products_ = 0, row_squares_ = 0;
  // The block that grows.
  uint64_t block_first_ = 0, block_rows_ = 0;
  double block_sum_ = 0;
};

}  // namespace everlearn
