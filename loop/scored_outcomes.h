// Outcomes by row, as they were scored, from stored events: silence counts as what it means, also where an outcome came after the window.
//
// One thread; 17 bytes a row.
#pragma once

#include <vector>

#include "loop/event.h"
#include "loop/state.h"

namespace everlearn {

class ScoredOutcomes {
 public:
  // `options` outlives it.
  explicit ScoredOutcomes(const LoopOptions& options) : options_(options) {}

  // Events in their order.
  void Take(const Event& event);
  // Of a row that was taken; NaN where none was scored.
  double Of(uint64_t row) const;

 private:
  bool Closed(uint64_t row) const;

  const LoopOptions& options_;
  int64_t now_ = kNoTime;
  std::vector<int64_t> times_;
  std::vector<double> truths_;
  std::vector<bool> known_;  // before the prediction: never scored
};

}  // namespace everlearn
