// The newest outcomes of a stream by row, and the seasons in them.
//
// A season is a number of rows, found where the autocorrelation of the known outcomes has a peak (Box, Jenkins & Reinsel, Time Series
// Analysis, ch. 2): the shortest that stands out, and a longer one where its peak is higher. Seasons are looked for after 256 outcomes,
// twice as many, and so on, then after each 4,096; a row in between allocates nothing. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class Seasons {
 public:
  static constexpr size_t kSeasons = 2;
  static constexpr uint64_t kRing = 8192;  // rows whose outcomes are kept

  explicit Seasons(size_t classes);  // 0: numbers

  // A class or a finite value; rows may come in any order.
  void Add(uint64_t row, double outcome);
  // Numbers: what is kept counts as at least `low` and at most `high`; for outcomes of which it is known only later that they were absurd.
  void Hold(double low, double high);

  uint64_t outcomes() const { return outcomes_; }
  uint64_t newest() const { return newest_; }              // row; 0 where there is none
  double Known(uint64_t row) const;                        // NaN: it is not, or no longer
  uint64_t season(size_t i) const { return seasons_[i]; }  // in rows, the shorter first; 0: none was found
  double Ago(uint64_t row, uint64_t season) const;         // of the nearest multiple of the season that is known; NaN: none

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  void Find();
  std::vector<double> Autocorrelations(const std::vector<double>& series, size_t most_lag) const;

  size_t classes_;
  std::vector<double> ring_;  // outcome of row % kRing, NaN where unknown
  uint64_t newest_ = 0, outcomes_ = 0, next_search_;
  std::array<uint64_t, kSeasons> seasons_{};
};

}  // namespace everlearn
