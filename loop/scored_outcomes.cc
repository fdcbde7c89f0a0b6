#include "loop/scored_outcomes.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

void ScoredOutcomes::Take(const Event& event) {
  if (event.time != kNoTime) now_ = std::max(now_, event.time);
  if (event.kind == EventKind::kRow) {
    times_.push_back(event.time);
    truths_.push_back(kMissing);
    known_.push_back(false);
  } else if (event.row >= truths_.size()) {
    return;
  } else if (event.kind == EventKind::kKnown) {
    if (std::isnan(Of(event.row))) known_[event.row] = true;
  } else if (event.kind == EventKind::kOutcome && std::isnan(truths_[event.row])) {
    truths_[event.row] = Closed(event.row) && !std::isnan(options_.missing_outcome) ? options_.missing_outcome : event.truth;
  } else if (event.kind == EventKind::kCorrection) {
    truths_[event.row] = event.truth;
  }
}

double ScoredOutcomes::Of(uint64_t row) const {
  if (known_[row]) return kMissing;
  return std::isnan(truths_[row]) && Closed(row) ? options_.missing_outcome : truths_[row];
}

bool ScoredOutcomes::Closed(uint64_t row) const {
  if (options_.window_rows > 0 && truths_.size() - 1 - row > options_.window_rows) return true;
  return options_.window_time > 0 && times_[row] != kNoTime && now_ - times_[row] > options_.window_time;
}

}  // namespace everlearn
