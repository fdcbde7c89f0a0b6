#include "loop/schedule.h"

#include <algorithm>
#include <queue>

#include "base/error.h"

namespace everlearn {

int64_t Schedule::Due(uint32_t row) const {
  if (!input_.outcome_times.empty()) return std::max(input_.outcome_times[row], input_.times[row]);
  return input_.times.empty() ? kNoTime : input_.times[row] + input_.delay_time;
}

int64_t Schedule::time(size_t i) const {
  if (input_.times.empty()) return kNoTime;
  const bool by_time = !input_.outcome_times.empty() || input_.delay_time > 0;
  if (!is_outcome(i)) return input_.times[row(i)];
  if (by_time) return Due(row(i));
  // An outcome that is so many rows late becomes known with the last row before it.
  return input_.times[std::min<size_t>(row(i) + input_.delay_rows, input_.rows - 1)];
}

size_t ScheduleInput::CountEarly() const {
  size_t count = 0;
  for (size_t row = 0; row < rows; ++row) count += IsEarly(row);
  return count;
}

size_t Schedule::RowAt(int64_t time) const {
  return static_cast<size_t>(std::lower_bound(input_.times.begin(), input_.times.end(), time) - input_.times.begin());
}

Schedule::Schedule(ScheduleInput input) : input_(std::move(input)) {
  if (input_.rows >= (size_t{1} << 31)) throw Error(ErrorKind::kResource, "a replay takes at most 2,147,483,647 rows");
  const bool by_time = !input_.outcome_times.empty() || input_.delay_time > 0;
  using Waiting = std::pair<int64_t, uint32_t>;  // due time or due row, row
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting;
  const auto release = [&] {
    const uint32_t row = waiting.top().second;
    waiting.pop();
    items_.push_back(row * 2 + 1);
    outcome_rows_.push_back(row);
  };
  for (uint32_t row = 0; row < input_.rows; ++row) {
    const int64_t now = by_time ? input_.times[row] : row;
    while (!waiting.empty() && waiting.top().first <= now) release();
    items_.push_back(row * 2);
    if (!input_.has_outcome[row] || (!input_.outcome_times.empty() && input_.outcome_times[row] == kNoTime)) continue;
    waiting.emplace(by_time ? Due(row) : static_cast<int64_t>(row + input_.delay_rows + 1), row);
  }
  while (!waiting.empty()) release();
}

}  // namespace everlearn
