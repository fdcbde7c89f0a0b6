#include "loop/look_ahead.h"

#include <algorithm>

#include "base/parallel.h"

namespace everlearn {

bool LookAhead::Fits(const LoopOptions& options, const ScheduleInput& schedule) {
  const bool by_time = !schedule.outcome_times.empty() || schedule.delay_time > 0;
  const uint64_t most_late = by_time ? schedule.rows : schedule.delay_rows;
  return !options.has_window() && most_late < options.most_waiting;
}

void LookAhead::Prepare(LoopState* state, size_t begin) {
  end_ = std::min(schedule_.size(), (begin / kStretch + 1) * kStretch);
  outputs_ = state->options.outputs();
  features_ = state->options.is_category.size();
  first_row_ = state->pending.next_row();
  std::vector<Member*> online;
  for (Member& member : state->roster.members)
    if (member.online != nullptr) online.push_back(&member);
  predictions_.resize(state->roster.members.size() + 1);
  late_.resize(predictions_.size());
  FindLate(begin);
  ParallelFor(online.size(), threads_, [&](size_t i) {
    const double before = state->cpu_clock != nullptr ? state->cpu_clock() : 0;
    Take(online[i], begin, &predictions_[online[i]->id], &late_[online[i]->id]);
    if (state->cpu_clock != nullptr) online[i]->cpu_seconds += state->cpu_clock() - before;
  });
}

// Outcomes that come when later rows have been predicted already.
void LookAhead::FindLate(size_t begin) {
  late_place_.clear();
  uint64_t next_row = first_row_;
  for (size_t item = begin; item < end_; ++item) {
    const uint32_t row = schedule_.row(item);
    if (!schedule_.is_outcome(item)) ++next_row;
    else if (row >= history_ && row + 1 < next_row) late_place_.emplace(row, late_place_.size());
  }
}

const double* LookAhead::Late(uint32_t member, uint64_t row) const {
  const auto place = late_place_.find(row);
  return place == late_place_.end() || late_[member].empty() ? nullptr : late_[member].data() + place->second * outputs_;
}

void LookAhead::Take(Member* member, size_t begin, std::vector<double>* predictions, std::vector<double>* late) const {
  predictions->clear();
  late->assign(late_place_.size() * outputs_, 0.0);
  for (size_t item = begin; item < end_; ++item) {
    const uint32_t row = schedule_.row(item);
    const double* features = values_.data() + size_t{row} * features_;
    if (schedule_.is_outcome(item)) {
      if (!member->Takes(row)) continue;
      if (const auto place = late_place_.find(row); place != late_place_.end())
        member->online->Predict(features, late->data() + place->second * outputs_);
      member->online->Learn(features, target_[row], 1.0);
      continue;
    }
    predictions->resize(predictions->size() + outputs_);
    if (row >= history_ && member->Takes(row)) member->online->Predict(features, predictions->data() + predictions->size() - outputs_);
  }
}

}  // namespace everlearn
