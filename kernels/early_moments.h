// Forgets what was absurd among the first rows of a stream: running moments know no outliers before they have seen some rows, and one value
// of 1e12 among them would hide all later ones for good.
//
// At the rows 30, 60, 120, 240 and 480 each column's newest half is compared with all of it: where its variance is more than 400 times
// smaller, the newest half counts alone. Belongs to one thread; no allocation a row.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "base/bytes.h"
#include "kernels/running_moments.h"

namespace everlearn {

class EarlyMoments {
 public:
  static constexpr uint64_t kRows = 480;

  struct Half {
    double count = 0, mean = 0, squares = 0;
    double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  };

  explicit EarlyMoments(size_t columns) : halves_(columns) {}

  // After AddToMoments with the same values. True where a column was made new.
  bool Add(const MomentArrays& moments, const double* values) { return rows_ < kRows && AddEarly(moments, values); }
  // What the last call that said true made of a column; only until the next call.
  const Half& newest(size_t column) const { return made_[column]; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  bool AddEarly(const MomentArrays& moments, const double* values);
  bool Look(const MomentArrays& moments);

  uint64_t rows_ = 0;
  std::vector<Half> halves_, made_;
};

}  // namespace everlearn
