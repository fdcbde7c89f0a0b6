#include "loop/recorder.h"

#include "base/hash.h"
#include "loop/records.h"
#include "model/model_file.h"

namespace everlearn {

uint64_t Recorder::Record(Event* event, std::shared_ptr<const Model> model, bool given) {
  Step(state_, {.event = *event, .model = std::move(model), .given = given, .ahead = ahead_}, &effects_);
  if (effects_.predicted != nullptr) {
    event->members.assign(effects_.predicted->members.begin(), effects_.predicted->members.end());
    event->predictions.assign(effects_.predicted->predictions.begin(), effects_.predicted->predictions.end());
    event->half_width = effects_.predicted->half_width;
  }
  EncodeEvent(*event, state_.options.outputs(), state_.options.classes > 0, &bytes_);
  const uint64_t number = ledger_.Append(bytes_);
  for (const LoopDecision& decision : effects_.decisions)
    ledger_.AddDecision({static_cast<int64_t>(decision.number), number, ToText(DecisionJson(state_, decision))});
  for (const LoopNotice& notice : effects_.notices) {
    const JsonObject json = NoticeJson(state_, notice);
    ledger_.AddNotice({0, number, notice.kind, ToText(json)});
    if (notice_) notice_(notice.kind, json);
  }
  return number;
}

uint64_t Recorder::RecordModel(uint32_t request, int64_t time, const TrainingResult& result, const TaskFrame& frame) {
  Event event;
  event.kind = EventKind::kModel;
  event.time = time;
  event.request = request;
  event.learner = result.learner;
  event.parameters = result.parameters;
  JsonObject detail{{"learner", result.learner}};
  if (result.model == nullptr) {
    detail["reason"] = result.failure;
  } else {
    detail["rows"] = result.rows;
    if (result.since_row > 0) detail["since_row"] = result.since_row;
    event.predictions = result.bank.empty() ? result.residuals : result.bank;
    if (result.units > 0) detail["units"] = result.units;
    if (!result.leaderboard.empty()) detail["leaderboard"] = result.leaderboard;
    const std::string bytes = ModelFile{frame.task, frame.schema, frame.space, result.model, detail, "", ""}.Bytes();
    event.hash = HashText(HashBytes(bytes));
    ledger_.PutModel(event.hash, result.learner, bytes);
  }
  event.detail = ToText(detail);
  const uint64_t number = Record(&event, result.model);
  if (event.hash.empty()) return number;
  for (Member& member : state_.roster.members)
    if (member.model_hash == event.hash) member.cpu_seconds += result.cpu_seconds;
  return number;
}

}  // namespace everlearn
