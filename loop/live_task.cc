#include "loop/live_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/random.h"
#include "base/timestamp.h"
#include "ledger/sha256.h"
#include "loop/ledger_rows.h"
#include "loop/records.h"

namespace everlearn {
namespace {

constexpr const char* kFrameFact = "frame";
constexpr const char* kSecretFact = "secret";
constexpr uint64_t kOutcomesPerSnapshot = 256;        // an answer is at most so stale,
constexpr int64_t kMicrosecondsPerSnapshot = 50'000;  // or so old,
constexpr int64_t kSnapshotShare = 10;                // and as fresh as can be had for this part of the engine's time
constexpr uint32_t kFirstTraining = 0;
constexpr int64_t kWithoutEnd = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostAhead =
    366 * kMicrosecondsPerDay;                            // a time beyond is a mistake, and moves no clock: it would stop learning for ever
constexpr int64_t kEarlyKept = 90 * kMicrosecondsPerDay;  // an outcome that no prediction asked for
const std::string kReplies = "reply/", kAfterReplies = "reply0";  // '0' follows '/'

std::string EarlyNote(uint64_t key) { return "early/" + HashText(key); }

}  // namespace

std::string_view OutcomeStatusName(OutcomeStatus status) {
  constexpr std::string_view kNames[] = {"joined", "duplicate", "corrected", "unknown", "early"};
  return kNames[static_cast<size_t>(status)];
}

void LiveTask::Create(Ledger& ledger, const TaskFrame& frame, const LoopOptions& options) {
  const std::string bytes = frame.Encode();
  const std::string hash = HashText(HashBytes(bytes));
  ledger.PutModel(hash, "frame", bytes);
  ledger.SetFact(kFrameFact, hash);
  ledger.SetFact(kTaskFact, ToText(frame.task.ToJson()));
  ledger.SetFact(kOptionsFact, ToText(options.ToJson()));
  ledger.SetFact(kSecretFact, HashText(SystemRandomBits()));
}

LiveTask::LiveTask(std::string name, Ledger& ledger, std::unique_ptr<Trainer> trainer, LiveOptions options)
    : name_(std::move(name)),
      ledger_(ledger),
      trainer_(std::move(trainer)),
      options_(std::move(options)),
      checkpoint_(ledger),
      due_(ledger) {
  Restore();
  first_frame_ = frame_;
  encoder_ = std::make_unique<const RowEncoder>(first_frame_.schema, first_frame_.task, first_frame_.space);
}

std::optional<std::string> LiveTask::Reply(const std::string& name) const { return ledger_.Note(kReplies + name); }

void LiveTask::KeepReply(const std::string& name, const std::string& value) { ledger_.PutNote(kReplies + name, options_.clock(), value); }

// Checkpoint, then the events after it once more: predictions are as they were given, members learn again.
void LiveTask::Restore() {
  const auto model_of = [&](const std::string& hash) { return StoredModel(ledger_, hash); };
  const auto frame = ledger_.Fact(kFrameFact), secret = ledger_.Fact(kSecretFact);
  if (!frame || !secret)
    throw Error(ErrorKind::kUsage, "the ledger's task '" + name_ + "' was not made by `everlearn run`", "name another ledger");
  std::from_chars(secret->data(), secret->data() + secret->size(), secret_, 16);
  checkpoint_.GiveUp();
  due_.Load();
  state_ = RestoreState(ledger_, OptionsOf(ledger_), model_of);
  if (state_->driver.empty()) {
    const auto bytes = ledger_.Model(*frame);
    if (!bytes) throw Error(ErrorKind::kDamaged, "the ledger lacks its task's frame");
    frame_ = TaskFrame::Decode(*bytes);
  } else {
    frame_ = TaskFrame::Decode(state_->driver);
  }
  growing_ = std::make_unique<const RowEncoder>(frame_.schema, frame_.task, frame_.space);
  std::vector<double> features(frame_.space.size());
  Event event;
  Effects effects;
  ledger_.ReadEvents(state_->events + 1, ledger_.last_event(), [&](uint64_t, std::string_view bytes) {
    DecodeEvent(bytes, state_->options.outputs(), state_->options.classes > 0, &event);
    std::shared_ptr<const Model> model;
    if (event.kind == EventKind::kModel && !event.hash.empty()) model = model_of(event.hash);
    if (event.kind == EventKind::kRow) {
      const auto row = ledger_.Row(event.row);
      growing_->EncodeGrowing(row && !row->body.empty() ? RowOfBody(row->body) : JsonObject(), &frame_.space, features.data());
      event.features = features.data();
    }
    Step(*state_, {.event = event, .model = model, .given = true}, &effects);
    return true;
  });
  recorder_ = std::make_unique<Recorder>(*state_, ledger_, options_.notice);
  checkpointed_events_ = state_->events;
  for (const TrainRequest& request : state_->requests) Begin(request);
  // A crash during the first search left history and no champion.
  if (state_->options.history && state_->roster.champion == 0 && state_->outcomes > 0) EndHistory();
  Publish(true, nullptr);  // what an earlier one knew may have been taken back
}

void LiveTask::Reload() {
  for (const auto& [number, running] : running_) {
    if (!running.failure.empty()) continue;
    trainer_->Kill(number);
    trainer_->Wait(number, {});
  }
  running_.clear();
  unscored_.clear();
  published_outcomes_ = 0;
  Restore();
}

int64_t LiveTask::Now(int64_t time) const {
  if (!frame_.task.time.empty()) return time != kNoTime && time <= options_.clock() + kMostAhead ? time : state_->now;
  return std::max(state_->now, options_.clock());
}

uint64_t LiveTask::Record(Event* event, bool given) {
  const uint64_t number = recorder_->Record(event, nullptr, given);
  for (const TrainRequest& request : recorder_->effects().requests) Begin(request);
  roster_changed_ = roster_changed_ || !recorder_->effects().decisions.empty();
  return number;
}

void LiveTask::AddHistory(const JsonObject& row, double truth) {
  std::vector<double> features(frame_.space.size());
  growing_->EncodeGrowing(row, &frame_.space, features.data());
  const std::string body = MakeBody(NewSalt(), ToText(row));
  Event event;
  int64_t time = kNoTime;
  growing_->Time(row, &time);
  event.time = Now(time);
  event.row = state_->pending.next_row();
  event.features = features.data();
  event.history = true;
  event.row_hash = Sha256({body});
  const uint64_t number = Record(&event);
  ledger_.PutRow({event.row, number, growing_->Key(row), body});
  if (std::isnan(truth)) return;
  event.kind = EventKind::kOutcome;
  event.truth = truth;
  ledger_.PutOutcome({event.row, Record(&event), truth});
}

void LiveTask::EndHistory() {
  TrainRequest search;
  search.number = kFirstTraining;
  search.units = state_->options.budget_units;
  search.seconds = state_->options.budget_seconds;
  Begin(search);
}

std::string LiveTask::IdOf(uint64_t row) const {
  return fmt::format("{:x}-{:08x}", row, static_cast<uint32_t>(MixBits(secret_ ^ MixBits(row))));
}

bool LiveTask::LooksLikeId(const std::string& text) {
  constexpr size_t kMark = 9;  // a dash and eight digits
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() > kMark && text[text.size() - kMark] == '-' &&
         static_cast<size_t>(std::count_if(text.begin(), text.end(), is_digit)) == text.size() - 1;
}

bool LiveTask::ParseId(const std::string& id, uint64_t* row) const {
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), *row, 16);
  return error == std::errc() && end != id.data() + id.size() && *row < state_->pending.next_row() && id == IdOf(*row);
}

std::string LiveTask::AddRow(const AnsweredRow& row) {
  const std::vector<double>* features = &row.features;
  std::vector<double> grown;
  if (row.unseen) {
    grown.resize(row.features.size());
    growing_->EncodeGrowing(ParseJson(row.text, "a row").as_object(), &frame_.space, grown.data());
    features = &grown;
  }
  const std::string body = MakeBody(NewSalt(), row.text);
  event_.kind = EventKind::kRow;
  event_.time = Now(row.time);
  event_.row = state_->pending.next_row();
  event_.features = features->data();
  event_.history = false;
  event_.row_hash = Sha256({body});
  event_.learnt = row.learnt;
  event_.half_width = row.half_width;
  event_.members = row.members;
  event_.predictions = row.predictions;
  const uint64_t number = event_.row;
  const uint64_t event = Record(&event_, true);
  ledger_.PutRow({number, event, row.key, body});
  if (!TakeEarlyOutcome(number, row.key)) unscored_.push_back(number);
  return IdOf(number);
}

// Whether the row's outcome was known before it was asked for: no prediction of the future, so never scored.
bool LiveTask::TakeEarlyOutcome(uint64_t row, uint64_t key) {
  if (key == 0 || frame_.task.key.empty()) return false;
  const auto note = ledger_.Note(EarlyNote(key));
  if (note) AddKnown(row, ByteReader(*note).Get<double>());
  return note.has_value();
}

void LiveTask::AddKnown(uint64_t row, double truth) {
  ScoreShadows(0, kWithoutEnd);  // members learn from it
  Event known;
  known.kind = EventKind::kKnown;
  known.time = state_->now;
  known.row = row;
  known.truth = truth;
  ledger_.PutOutcome({row, Record(&known), truth});
}

void LiveTask::PutEarlyNote(uint64_t key, double truth) {
  ByteWriter value;
  value.Put(truth);
  ledger_.PutNote(EarlyNote(key), options_.clock(), value.bytes());
}

OutcomeStatus LiveTask::AddOutcome(const std::string& id, double truth, int64_t time) {
  uint64_t row = 0;
  return ParseId(id, &row) ? AddOutcomeOfRow(row, truth, time) : OutcomeStatus::kUnknown;
}

OutcomeStatus LiveTask::AddOutcomeByKey(uint64_t key, double truth, int64_t time) {
  const std::vector<uint64_t> rows = ledger_.RowsOfKey(key);
  if (rows.empty()) {
    PutEarlyNote(key, truth);
    return OutcomeStatus::kEarly;
  }
  // Of several predictions of one key the most that happened to any of them is the answer.
  OutcomeStatus answer = OutcomeStatus::kDuplicate;
  for (const uint64_t row : rows) {
    const OutcomeStatus status = AddOutcomeOfRow(row, truth, time);
    if (status == OutcomeStatus::kJoined || answer == OutcomeStatus::kDuplicate) answer = status;
  }
  return answer;
}

OutcomeStatus LiveTask::AddOutcomeOfRow(uint64_t row, double truth, int64_t time) {
  if (const auto before = ledger_.Outcome(row)) return before->truth == truth ? OutcomeStatus::kDuplicate : Correct(*before, truth, time);
  ScoreShadows(0, kWithoutEnd);  // before the outcome is applied
  event_.kind = EventKind::kOutcome;
  event_.time = Now(time);
  event_.row = row;
  event_.truth = truth;
  ledger_.PutOutcome({row, Record(&event_), truth});
  return OutcomeStatus::kJoined;
}

Event LiveTask::Stored(uint64_t number) const {
  Event event;
  ledger_.ReadEvents(number, number, [&](uint64_t, std::string_view bytes) {
    DecodeEvent(bytes, state_->options.outputs(), state_->options.classes > 0, &event);
    return false;
  });
  return event;
}

// The metrics follow where the first outcome was scored: not of history, nor known before the prediction, nor after silence had decided.
OutcomeStatus LiveTask::Correct(const LedgerOutcome& before, double truth, int64_t time) {
  Event event;
  event.kind = EventKind::kCorrection;
  event.time = Now(time);
  event.row = before.row;
  event.truth = truth;
  event.old_truth = before.truth;
  const auto row = ledger_.Row(before.row);
  const Event answered = row ? Stored(row->event) : Event(), outcome = Stored(before.event);
  const bool silent = !std::isnan(state_->options.missing_outcome) && state_->options.window_time > 0 &&
                      outcome.time - answered.time > state_->options.window_time;
  if (!answered.members.empty() && outcome.kind == EventKind::kOutcome && !silent) {
    event.members = {answered.members.front()};
    event.predictions.assign(answered.predictions.begin(),
                             answered.predictions.begin() + static_cast<std::ptrdiff_t>(state_->options.outputs()));
  }
  Record(&event);
  ledger_.PutOutcome({before.row, before.event, truth});
  // Another prediction of this key shall not take what has been corrected.
  if (row && outcome.kind == EventKind::kKnown && ledger_.Note(EarlyNote(row->key))) PutEarlyNote(row->key, truth);
  return OutcomeStatus::kCorrected;
}

void LiveTask::Wish(const std::string& word, const std::string& member, const std::string& by) {
  const Roster& roster = state_->roster;
  if ((word == "promote" || word == "rollback") && roster.champion == 0) throw Error(ErrorKind::kUsage, "the task has no model yet");
  Event event;
  event.kind = EventKind::kWish;
  event.time = Now(kNoTime);
  event.word = word;
  event.detail = ToText(JsonObject{{"by", by}});
  if (word == "rollback") {
    event.member = roster.former != 0 ? roster.former : roster.day_one != roster.champion ? roster.day_one : 0;
    if (event.member == 0) throw Error(ErrorKind::kUsage, "there is no earlier champion to go back to");
  } else if (word == "promote") {
    for (const Member& candidate : roster.members)
      if (candidate.name == member) event.member = candidate.id;
    if (event.member == 0) throw Error(ErrorKind::kNotFound, "the task has no member '" + member + "'");
    if (event.member == roster.champion) throw Error(ErrorKind::kUsage, member + " is the champion already");
    if (!roster.Get(event.member).alive) throw Error(ErrorKind::kUsage, member + " is retired, and cannot serve");
  }
  Record(&event);
}

void LiveTask::Configure(const JsonObject& options, const std::vector<std::string>& changes) {
  Event event;
  event.kind = EventKind::kWish;
  event.time = Now(kNoTime);
  event.word = "configure";
  event.detail = ToText(JsonObject{{"options", options}, {"changes", JsonArray(changes.begin(), changes.end())}});
  Record(&event);
}

void LiveTask::Note(const std::string& kind, const JsonObject& detail) {
  Event event;
  event.kind = EventKind::kNotice;
  event.time = Now(kNoTime);
  event.word = kind;
  event.detail = ToText(detail);
  Record(&event);
}

void LiveTask::Begin(const TrainRequest& request) {
  TrainingJob job;
  job.learner = request.learner;
  job.parameters = request.parameters;
  job.metric = state_->options.metric;
  job.frame = frame_.Encode();
  if (request.lineage == 0) job.candidates = FirstCandidates(*state_);
  SetBank(request, &job);
  job.units = request.units;
  job.seconds = request.seconds;
  job.seed = MixBits(state_->options.seed ^ MixBits(request.number));
  job.threads = options_.threads;
  running_[request.number] = {options_.clock(), request, ""};
  try {
    trainer_->Start(request.number, job);
  } catch (const Error& error) {  // no worker could be started: a training that failed, and what is recorded meanwhile is
    running_[request.number].failure = error.message();
  }
}

void LiveTask::TakeTrainings() {
  for (auto next = running_.begin(); next != running_.end();) {
    const uint32_t number = next->first;
    const double seconds = static_cast<double>(options_.clock() - next->second.started) / 1e6;
    const bool stillborn = !next->second.failure.empty();
    const bool hangs = !stillborn && seconds > options_.longest_training_seconds;
    if (hangs) trainer_->Kill(number);
    if (!stillborn && !hangs && !trainer_->Ended(number)) {
      ++next;
      continue;
    }
    TrainingResult result;
    if (stillborn) result.failure = next->second.failure;
    else result = *trainer_->Wait(number, {});
    if (hangs) result.failure = fmt::format("the worker was ended after {:.0f} s", seconds);
    next = running_.erase(next);
    recorder_->RecordModel(number, Now(kNoTime), result, frame_);
    roster_changed_ = true;
  }
}

// Always in the order of prediction, so that whether a row is scored does not depend on what became known of it.
void LiveTask::ScoreShadows(int shift, int64_t microseconds) {
  const int64_t began = options_.clock();
  while (!unscored_.empty()) {
    const uint64_t number = unscored_.front();
    unscored_.pop_front();
    PendingRow* row = state_->pending.Find(number);
    if (row == nullptr || row->known() || row->history) continue;
    if (shift > 0 && (MixBits(secret_ ^ MixBits(~number)) >> (64 - shift)) != 0) continue;
    const size_t given = row->members.size(), outputs = state_->options.outputs();
    std::vector<uint32_t> members = row->members;
    std::vector<double> predictions = row->predictions;
    PredictRow(*state_, number, row->features.data(), &members, &predictions);
    if (members.size() == given) continue;
    event_.kind = EventKind::kShadow;
    event_.time = kNoTime;
    event_.row = number;
    event_.members.assign(members.begin() + static_cast<std::ptrdiff_t>(given), members.end());
    event_.predictions.assign(predictions.begin() + static_cast<std::ptrdiff_t>(given * outputs), predictions.end());
    Record(&event_);
    if (options_.clock() - began >= microseconds) return;
  }
}

void LiveTask::Publish(bool now, const Snapshot* before) {
  const int64_t time = options_.clock();
  const uint64_t learnt = state_->outcomes - published_outcomes_;
  const bool follows = snapshot_ != nullptr && (snapshot_->learns() || state_->options.classes == 0);
  const int64_t apart = std::min(kMicrosecondsPerSnapshot, kSnapshotShare * snapshot_cost_);
  const bool due = follows && learnt > 0 && (learnt >= kOutcomesPerSnapshot || time - published_at_ >= apart);
  if (!now && !due) return;
  auto fresh = Snapshot::Of(*state_, frame_, before);
  published_outcomes_ = state_->outcomes;
  published_at_ = options_.clock();
  snapshot_cost_ = std::max<int64_t>(0, published_at_ - time);
  roster_changed_ = false;
  const std::lock_guard lock(snapshot_lock_);
  snapshot_ = std::move(fresh);
}

std::shared_ptr<const Snapshot> LiveTask::snapshot() const {
  const std::lock_guard lock(snapshot_lock_);
  return snapshot_;
}

void LiveTask::CatchUp(int shadow_shift, int64_t shadow_microseconds) {
  TakeTrainings();
  ScoreShadows(shadow_shift, shadow_microseconds);
  if (frame_.task.time.empty() && state_->options.has_window() && state_->now != kNoTime &&
      options_.clock() - state_->now > kMicrosecondsPerSecond) {
    // A task that lives in wall time sees its windows close though nothing arrives.
    Event tick;
    tick.kind = EventKind::kTick;
    tick.time = Now(kNoTime);
    Record(&tick);
  }
  ApplyDueOutcomes(Now(kNoTime));
  if (options_.clock() - tidied_at_ > kMicrosecondsPerDay / 24) {
    tidied_at_ = options_.clock();
    ledger_.DropNotes(kReplies, kAfterReplies, tidied_at_ - kMicrosecondsPerDay);
    ledger_.DropNotes("early/", "early0", tidied_at_ - kEarlyKept);
  }
  Publish(roster_changed_, snapshot_.get());
  if (checkpoint_.busy()) {
    checkpoint_.Continue(state_.get(), options_.checkpoint_bytes);
    return;
  }
  // Waiting rows are part of a checkpoint: where there are very many, it is written less often.
  const uint64_t waiting = state_->pending.size() + state_->pending.aside();
  if (state_->events - checkpointed_events_ >= options_.checkpoint_events + 4 * waiting) BeginCheckpoint();
}

void LiveTask::BeginCheckpoint() {
  state_->driver = frame_.Encode();
  checkpoint_.Begin(state_.get());
  checkpointed_events_ = state_->events;
}

void LiveTask::Checkpoint() {
  if (state_->events == 0 || (state_->events == checkpointed_events_ && !checkpoint_.busy() && !state_->driver.empty())) return;
  BeginCheckpoint();
  while (checkpoint_.busy()) checkpoint_.Continue(state_.get(), options_.checkpoint_bytes);
}

}  // namespace everlearn
