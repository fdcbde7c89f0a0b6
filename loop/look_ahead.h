// What the online members say about the next stretch of a history, made before the loop comes to it.
//
// An online member depends on rows and outcomes in their order and on nothing else of the loop, so each goes through the stretch alone, on
// any number of threads, with the predictions and the state that row by row would give. Afterwards it is ahead of the state until the
// loop has come to the end of the stretch: only there may the state be saved. One thread calls it.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "loop/schedule.h"
#include "loop/state.h"

namespace everlearn {

class LookAhead {
 public:
  // Items of the schedule in a stretch. Stretches begin at its multiples, so that it does not matter where a replay was resumed.
  static constexpr size_t kStretch = 512;

  // `values`: rows × features, with lags; `history`: so many first rows are learnt from, not predicted. All must outlive it.
  LookAhead(const Schedule& schedule, std::span<const double> values, std::span<const double> target, size_t history, int threads)
      : schedule_(schedule), values_(values), target_(target), history_(history), threads_(threads) {}

  // Where every outcome is learnt when it comes: not where windows close, or rows are given up.
  static bool Fits(const LoopOptions& options, const ScheduleInput& schedule);

  // Takes the online members of the state through the items from `begin` to the end of its stretch.
  void Prepare(LoopState* state, size_t begin);
  size_t end() const { return end_; }

  // What a member says about a row, whose outcome is late and in the stretch, just before it learns it; null where that was not asked.
  const double* Late(uint32_t member, uint64_t row) const;
  // What a member said about a row of the stretch, one number an output.
  const double* Of(uint32_t member, uint64_t row) const { return predictions_[member].data() + (row - first_row_) * outputs_; }

 private:
  void Take(Member* member, size_t begin, std::vector<double>* predictions, std::vector<double>* late) const;
  void FindLate(size_t begin);

  const Schedule& schedule_;
  std::span<const double> values_, target_;
  size_t history_;
  int threads_;
  size_t features_ = 0, outputs_ = 0, end_ = 0;
  uint64_t first_row_ = 0;
  std::vector<std::vector<double>> predictions_;     // by member: rows of the stretch × outputs
  std::vector<std::vector<double>> late_;            // by member: late outcomes of the stretch × outputs
  std::unordered_map<uint64_t, size_t> late_place_;  // of rows
};

}  // namespace everlearn
