// Lags: what the outcomes that are already known say about the next row, as features beside the row's own.
//
// Numbers: the last two outcomes, exponentially weighted means of three memories, the outcome one season ago and that plus what the level
// has changed since, the same of a second, longer season. Classes: the last three outcomes, how long the last one has lasted, the share of
// its class in two memories, the most frequent class of late, the outcomes one and two seasons ago. Both: how many rows ago the newest
// known outcome was. Seasons are found in the known outcomes (kernels/seasons.h); where the outcome of one season ago is not known yet, the
// nearest multiple whose is stands for it. A number that is absurd beside the others counts as 20 deviations (kernels/held_target.h) but in
// the last two outcomes, which are as they came.
//
// Only OnOutcome tells it anything, so nothing leaks through delay: what it says of a row follows from the outcomes released before that.
// One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "data/task.h"
#include "kernels/held_target.h"
#include "kernels/seasons.h"
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

  uint64_t season(size_t i) const { return seasons_.season(i); }  // in rows; 0: none was found

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr size_t kNumbers = 10, kClasses = 10;
  static constexpr size_t kMemories = 3;

  double HoldNumber(double truth);
  void FillNumbers(uint64_t row, double* out) const;
  void FillClasses(uint64_t row, double* out) const;

  size_t classes_;
  Seasons seasons_;
  HeldTarget targets_;                                      // numbers
  std::vector<double> last_;                                // the newest outcomes in the order in which they came, the newest first
  uint64_t streak_ = 0;                                     // outcomes in a row that were equal to the last
  double means_[kMemories] = {}, weights_[kMemories] = {};  // numbers
  std::vector<double> shares_[kMemories];                   // classes
};

// Fills in the lags of a history, which are the last of its features, as Step does row by row. values: rows × features.
void FillLags(const ScheduleInput& schedule, std::span<const double> target, size_t classes, std::span<double> values);

}  // namespace everlearn
