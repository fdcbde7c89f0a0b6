// The mean of dependent rows with a confidence sequence: rows that may share a cause form a block, and only blocks are independent
// evidence.
//
// A block holds the rows that were predicted before its first row had counted (the same rule as loop/evidence.h). What is covered is the
// mean over rows of what was to be expected of them, which may drift: the asymptotic confidence sequence of confidence_sequence.h for the
// sums of blocks, their variance taken around a mean that was known before the block (a forgetting one, so that a drift of the mean does
// not count as noise for long; any such centre only widens the interval). Value type; one thread.
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
  // Complete blocks: their number, rows and sum, the forgetting mean of a row, and the squared distances of sums from it.
  uint64_t blocks_ = 0, rows_ = 0;
  double sum_ = 0, centre_ = 0, squares_ = 0;
  // The block that grows.
  uint64_t block_first_ = 0, block_rows_ = 0;
  double block_sum_ = 0;
};

}  // namespace everlearn
