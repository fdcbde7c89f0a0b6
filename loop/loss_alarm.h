// Notices that the loss of what is served rose: a retraining is then due at once.
//
// The reference is the mean of the first rows since the last alarm or change of champion, plus twice its standard error; an e-detector
// (statistics/e_detector.h) looks for a mean above it, by blocks as all tests of the loop (loop/evidence.h), losses clipped around the
// reference. Where the change began is where the sum of differences, less an allowance, was lowest (Page, Continuous inspection schemes,
// 1954). One thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "statistics/e_detector.h"

namespace everlearn {

class LossAlarm {
 public:
  // Mean number of blocks between two false alarms, where the reference holds.
  static constexpr double kBlocksApart = 100'000;

  // The served loss of a row that counts, with `counted` rows before it. True: it rose; Reset() is then the caller's.
  bool Add(double loss, uint64_t row, uint64_t informed, uint64_t counted);
  void Reset() { *this = LossAlarm(); }

  double reference() const { return mean_; }
  // Since the change: its first row and the mean loss.
  uint64_t change_row() const { return change_row_; }
  double recent() const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr uint64_t kWarmUpRows = 1000, kWarmUpBlocks = 50;
  bool AddBlock(double mean, uint64_t rows, uint64_t first_row);

  // The block that grows.
  uint64_t block_informed_ = 0, block_rows_ = 0, block_row_ = 0;
  double block_sum_ = 0;
  // Welford over the blocks of the warm-up; then fixed.
  uint64_t blocks_ = 0, rows_ = 0;
  double mean_ = 0, spread_ = 0;
  double level_ = 0, scale_ = 0;  // scale_ > 0: the warm-up is over
  EDetector detector_;
  double sum_ = 0, lowest_ = 0, since_sum_ = 0;
  uint64_t change_row_ = 0, since_blocks_ = 0;
};

}  // namespace everlearn
