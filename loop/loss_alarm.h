// Notices that a loss rose, of what is served or of a member that matters: a retraining is then due at once.
//
// The reference is the mean of the first rows since the last alarm or change of champion, plus twice its standard error; an e-detector
// (statistics/e_detector.h) looks for a mean above it, by blocks as all tests of the loop (loop/evidence.h), losses clipped around the
// reference. A second one looks for a mean below: then what was learnt meanwhile has made the loss smaller, and from as many rows as at
// first a new reference is made, so that the next rise is seen against the best level and not against the first rows after a change. Where
// the change began is where the sum of differences, less an allowance, was lowest (Page, Continuous inspection schemes, 1954). One thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "statistics/e_detector.h"

namespace everlearn {

class LossAlarm {
 public:
  // Mean number of blocks between two false alarms, where the reference holds.
  static constexpr double kBlocksApart = 100'000;

  // False alarms are so many blocks apart in the mean.
  explicit LossAlarm(double blocks_apart = kBlocksApart) : threshold_(blocks_apart) {}

  // The loss of a row that counts, with `counted` rows before it. True: it rose; Reset() is then the caller's.
  bool Add(double loss, uint64_t row, uint64_t informed, uint64_t counted);
  void Reset() { *this = LossAlarm(threshold_); }

  double reference() const { return reference_.mean; }
  // Since the change: its first row and the mean loss.
  uint64_t change_row() const { return change_row_; }
  double recent() const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr uint64_t kWarmUpRows = 1000, kWarmUpBlocks = 50;
  // Welford over blocks.
  struct Reference {
    uint64_t blocks = 0, rows = 0;
    double mean = 0, spread = 0;
    void Add(double block_mean, uint64_t block_rows);
    bool complete() const { return rows >= kWarmUpRows && blocks >= kWarmUpBlocks; }
    bool possible() const;  // of one that was loaded
    double deviation() const;
    double margin() const;  // twice the mean's standard error
  };
  bool AddBlock(double mean, uint64_t rows, uint64_t first_row);

  double threshold_;
  // The block that grows.
  uint64_t block_informed_ = 0, block_rows_ = 0, block_row_ = 0;
  double block_sum_ = 0;
  void Refer();
  Reference reference_, next_;  // the second while a fall is being measured
  bool measures_ = false;
  double scale_ = 0;  // > 0: the warm-up is over
  EDetector detector_, fall_;
  double sum_ = 0, lowest_ = 0, since_sum_ = 0;
  uint64_t change_row_ = 0, since_blocks_ = 0;
};

}  // namespace everlearn
