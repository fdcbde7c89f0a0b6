// Lags: what the outcomes that are already known say about the next row, as features beside the row's own.
//
// Numbers: the last two outcomes, exponentially weighted means of three memories, the outcome one season ago and that plus what the level
// has changed since, the same of a second, longer season. Classes: the last three outcomes, how long the last one has lasted, the share of
// its class in two memories, the most frequent class of late, the outcomes one and two seasons ago. Both: how many rows ago the newest
// known outcome was. A season is a number of rows, found where the autocorrelation of the known outcomes has a peak (Box, Jenkins &
// Reinsel, Time Series Analysis, ch. 2); where the outcome of one season ago is not known yet, the nearest multiple whose is stands for it.
//
// Only OnOutcome tells it anything, so nothing leaks through delay: what it says of a row follows from the outcomes released before that.
// One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "data/task.h"
#include "loop/schedule.h"
#include "model/feature_space.h"

namespace everlearn {

class Lags {
 public:
  explicit Lags(size_t classes);  // 0: regression

  // As features of a space: names, dictionaries.
  static std::vector<Feature> Features(const Task& task);
  static size_t Count(size_t classes) { return classes == 0 ? kNumbers : kClasses; }

  // The outcome of a row is known now: a class or a finite value.
  void OnOutcome(uint64_t row, double truth);
  // Writes Count() values for this row, which has not been given to OnOutcome.
  void Fill(uint64_t row, double* out) const;

  uint64_t season(size_t i) const { return seasons_[i]; }  // in rows; 0: none was found

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr size_t kNumbers = 10, kClasses = 10;
  static constexpr size_t kMemories = 3, kSeasons = 2;
  static constexpr uint64_t kRing = 8192;  // rows whose outcomes are kept

  double Known(uint64_t row) const;                       // NaN: it is not, or no longer
  double SeasonAgo(uint64_t row, uint64_t season) const;  // of the nearest multiple that is known
  void FillNumbers(uint64_t row, double* out) const;
  void FillClasses(uint64_t row, double* out) const;
  void FindSeasons();
  std::vector<double> Autocorrelations(const std::vector<double>& series, size_t most_lag) const;

  size_t classes_;
  std::vector<double> ring_;  // outcome of row % kRing, NaN where unknown
  uint64_t newest_ = 0;       // row
  uint64_t outcomes_ = 0, next_search_;
  std::vector<double> last_;                                // the newest outcomes in the order in which they came, the newest first
  uint64_t streak_ = 0;                                     // outcomes in a row that were equal to the last
  double means_[kMemories] = {}, weights_[kMemories] = {};  // numbers
  std::vector<double> shares_[kMemories];                   // classes
  uint64_t seasons_[kSeasons] = {};
};

// Fills in the lags of a history, which are the last of its features, as Step does row by row. values: rows × features.
void FillLags(const ScheduleInput& schedule, std::span<const double> target, size_t classes, std::span<double> values);

}  // namespace everlearn
