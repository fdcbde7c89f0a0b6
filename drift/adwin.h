// Adaptive windowing: keeps as much of the newest values as have one mean, so far as can be told, and so knows their mean and when it
// changed.
//
// Bifet & Gavaldà, Learning from time-changing data with adaptive windowing (2007), ADWIN2: the window is a histogram of buckets whose
// sizes are powers of 2, at most five of a size; where the means of an older and a newer part differ by more than the bound (of the paper's
// section 4.1, with the variance of the window), the oldest bucket goes. It looks every 32 values. Values lie in [0, 1].
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class Adwin {
 public:
  // The smaller delta, the surer is a change, and the later it is noticed.
  explicit Adwin(double delta = 0.002) : delta_(delta) {}

  // The next value, finite, held inside [0, 1]. True: older values were dropped, whose mean was another.
  bool Add(double value);
  // The same, but true only where the mean is now higher than before.
  bool AddAndRose(double value) {
    const double before = mean();
    return Add(value) && mean() > before;
  }
  double mean() const { return width_ > 0 ? total_ / static_cast<double>(width_) : 0; }
  uint64_t width() const { return width_; }  // values in the window
  size_t bytes() const { return rows_.capacity() * sizeof(Row); }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr size_t kBuckets = 5;  // of one size
  struct Bucket {
    double total = 0, squares = 0;  // squares: sum of squared distances from the bucket's mean
  };
  struct Row {  // of buckets of one size, the oldest first
    uint32_t count = 0;
    std::array<Bucket, kBuckets + 1> buckets;
  };
  void Insert(double value);
  void Merge();
  bool DropWhatDiffers();
  bool SomeSplitDiffers() const;
  bool Differs(double old_count, double old_total) const;
  void DropOldest();

  double delta_;
  uint64_t values_ = 0, width_ = 0;
  double total_ = 0, squares_ = 0;
  std::vector<Row> rows_;  // row i: buckets of 2^i values
};

}  // namespace everlearn
