// The rows of a served task that its source brings: test, then train, in the order of event time.
#include <cmath>

#include "ledger/sha256.h"
#include "loop/ledger_rows.h"
#include "loop/live_task.h"

namespace everlearn {

bool LiveTask::AddSourceRow(const SourceRow& row) {
  const int64_t time = Now(row.time);
  ApplyDueOutcomes(time);
  std::vector<uint64_t> rows;
  if (row.key != 0) rows = ledger_.RowsOfKey(row.key);
  const bool is_new = rows.empty();
  if (is_new) rows.push_back(PredictSourceRow(row, time));
  if (std::isnan(row.truth)) return is_new;
  const bool early = is_new && row.due != kNoTime && row.due < time;
  const int64_t due = row.due != kNoTime ? row.due : time + row.after;
  for (const uint64_t number : rows) {
    if (due > std::max(time, state_->now)) {
      due_.Add({due, number, row.truth});
      continue;
    }
    OutcomeStatus status = OutcomeStatus::kEarly;
    if (early && !ledger_.Outcome(number)) AddKnown(number, row.truth);
    else status = AddOutcomeOfRow(number, row.truth, due);
    if (options_.source_outcome) options_.source_outcome(status);
  }
  return is_new;
}

// Nobody waits for the answer, so all members predict at once, as they are after every outcome before.
uint64_t LiveTask::PredictSourceRow(const SourceRow& row, int64_t time) {
  std::vector<double> features(frame_.space.size());
  growing_->EncodeGrowing(row.row, &frame_.space, features.data());
  const std::string body = MakeBody(NewSalt(), ToText(row.row));
  Event event;
  event.time = time;
  event.row = state_->pending.next_row();
  event.features = features.data();
  event.row_hash = Sha256({body});
  event.learnt = state_->events;
  event.half_width = state_->interval.Get();
  const uint64_t number = Record(&event);
  ledger_.PutRow({event.row, number, row.key, body});
  TakeEarlyOutcome(event.row, row.key);
  return event.row;
}

void LiveTask::ApplyDueOutcomes(int64_t now) {
  DueOutcome due;
  while (due_.Take(now, &due)) {
    const OutcomeStatus status = AddOutcomeOfRow(due.row, due.truth, due.time);
    if (options_.source_outcome) options_.source_outcome(status);
  }
}

}  // namespace everlearn
