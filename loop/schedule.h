// The order in which the rows of a history and their outcomes become known.
//
// Immutable, a pure function of its input: a replay that is resumed finds its place by counting.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "loop/event.h"

namespace everlearn {

struct ScheduleInput {
  size_t rows = 0;
  std::vector<int64_t> times = {};          // ascending, one a row; empty: the order of the rows is the order of time
  std::vector<int64_t> outcome_times = {};  // one a row, kNoTime: never; empty: see delay. An outcome is never earlier than its row
  uint64_t delay_rows = 0;                  // an outcome is known after so many further rows
  int64_t delay_time = 0;                   // or so many microseconds after its row
  std::vector<bool> has_outcome = {};       // one a row

  // The row has an outcome that is dated before the row itself.
  bool IsEarly(size_t row) const {
    return !outcome_times.empty() && has_outcome[row] && outcome_times[row] != kNoTime && outcome_times[row] < times[row];
  }
  size_t CountEarly() const;
};

class Schedule {
 public:
  explicit Schedule(ScheduleInput input);

  size_t size() const { return items_.size(); }
  uint32_t row(size_t i) const { return items_[i] >> 1; }
  bool is_outcome(size_t i) const { return (items_[i] & 1) != 0; }
  // The row's outcome is dated before the row itself.
  bool is_early(uint32_t row) const { return input_.IsEarly(row); }
  // Time of the item, kNoTime without times.
  int64_t time(size_t i) const;
  // Rows in the order in which their outcomes become known.
  std::span<const uint32_t> outcome_rows() const { return outcome_rows_; }
  // The first row at or after a time.
  size_t RowAt(int64_t time) const;

 private:
  int64_t Due(uint32_t row) const;
  ScheduleInput input_;
  std::vector<uint32_t> items_;  // row × 2, + 1 for its outcome
  std::vector<uint32_t> outcome_rows_;
};

}  // namespace everlearn
