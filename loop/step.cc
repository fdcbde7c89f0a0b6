#include "loop/step.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/random.h"
#include "loop/look_ahead.h"
#include "loop/retraining.h"
#include "loop/router.h"

namespace everlearn {
namespace {

constexpr size_t kMostWaiting = 8192;  // rows that wait in the ring for an outcome that has no window
constexpr uint64_t kSampleEvery = 64;  // rows between two samples of what members cost

// Adds the time of a piece of work to a member, when this row is sampled.
class Sample {
 public:
  Sample(const LoopState& state, Member* member, uint64_t row)
      : clock_(row % kSampleEvery == 0 ? state.cpu_clock : nullptr), member_(member), start_(clock_ != nullptr ? clock_() : 0) {}
  ~Sample() {
    if (clock_ != nullptr) member_->cpu_seconds += (clock_() - start_) * static_cast<double>(kSampleEvery);
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

 private:
  double (*clock_)();
  Member* member_;
  double start_;
};

// A member that nobody needs any more predicts no more.
void RetireUnneeded(LoopState& s) {
  Roster& roster = s.roster;
  for (Member& member : roster.members) {
    const bool needed = member.id == roster.champion || member.id == roster.former || member.id == roster.day_one ||
                        member.id == roster.lineages[member.lineage - 1].newest;
    if (needed || !member.alive) continue;
    member.alive = false;
    member.model = nullptr;
    member.online = nullptr;
  }
}

void CarryOut(LoopState& s, const Decision& decision, Effects* effects) {
  Roster& roster = s.roster;
  roster.former = decision.kind == "rolled_back" ? 0 : decision.champion;
  s.suggested = 0;
  roster.champion = decision.challenger;
  RetireUnneeded(s);
  s.UpdateSpeakers();
  WakeChampion(s);
  s.evidence.OnChampion(roster, s.pending.next_row());
  s.alarm.Reset();
  ++s.decisions;
  effects->decisions.push_back({s.decisions, decision});
  JsonObject detail = decision.numbers;
  detail["from"] = roster.Get(decision.champion).name;
  effects->notices.push_back({decision.kind, decision.challenger, s.decisions, std::move(detail)});
}

// What the evidence says is carried out, suggested to a person, or left, as the task wants it.
void Decide(LoopState& s, const Decision& decision, Effects* effects) {
  if (s.paused || s.options.autonomy == Autonomy::kObserve) return;
  if (s.options.autonomy == Autonomy::kAct) {
    CarryOut(s, decision, effects);
  } else if (s.suggested != decision.challenger) {
    s.suggested = decision.challenger;
    JsonObject detail = decision.numbers;
    detail["decision"] = decision.kind;
    effects->notices.push_back({"suggested", decision.challenger, 0, std::move(detail)});
  }
}

// A blend may hide that its best expert fails, since others take over: experts of weight are watched too.
void WatchLosses(LoopState& s, const PendingRow& row, double truth, uint64_t counted, Effects* effects) {
  constexpr double kTrust = 0.2;  // that makes an expert matter
  const auto loss = [&](const double* prediction) { return s.loss.Of(prediction, truth, kJudgedEpsilon); };
  uint32_t alarmed = 0;
  if (row.members.front() == s.roster.champion && s.alarm.Add(loss(row.predictions.data()), row.row, row.informed, counted))
    alarmed = s.roster.champion;
  for (const Blend::Expert& expert : s.blend.experts()) {
    Member& member = s.roster.Get(expert.member);
    const double* prediction = s.roster.LineageOf(member.id).kind != MemberKind::kOnline || s.roster.champion == member.id
                                   ? nullptr
                                   : row.Of(member.id, s.options.outputs());
    if (prediction == nullptr || !member.alarm.Add(loss(prediction), row.row, row.informed, counted)) continue;
    if (alarmed == 0 && expert.trust >= kTrust) alarmed = member.id;
    else member.alarm.Reset();
  }
  if (alarmed == 0) return;
  const LossAlarm alarm = alarmed == s.roster.champion ? s.alarm : s.roster.Get(alarmed).alarm;
  OnLossAlarm(s, alarmed, alarm, effects);
}

// The row counts for tests now.
void Count(LoopState& s, const PendingRow& row, double truth, Effects* effects) {
  if (row.history) {
    s.evidence.CountLabel(truth);
    return;
  }
  const uint64_t counted = s.evidence.rows();
  const bool batch =
      std::any_of(s.roster.lineages.begin(), s.roster.lineages.end(), [](const Lineage& l) { return l.kind == MemberKind::kBatch; });
  if (batch) s.bank.Add(row, truth, counted, s.loss, s.roster, s.options.outputs());
  WatchLosses(s, row, truth, counted, effects);
  if (const auto decision = s.evidence.Consume(row, truth, s.roster, s.pending.next_row())) Decide(s, *decision, effects);
}

void Score(LoopState& s, const PendingRow& row, double truth, Effects* effects) {
  if (row.history) return;
  constexpr double kEpsilon = 1e-15;
  const size_t outputs = s.options.outputs();
  s.served.Add(row.predictions.data(), truth, row.no_change);
  const uint64_t counted = s.evidence.rows();
  for (const std::string& name : s.watch.Add(row.predictions.data(), truth))
    effects->notices.push_back({"drift", row.members.front(), 0, {{"what", "error"}, {"detector", name}}});
  const double loss = s.loss.Of(row.predictions.data(), truth, kEpsilon);
  s.served_loss.Add(loss, row.informed, counted);
  s.monitor.OnOutcome(row, truth, loss, counted);
  if (s.options.classes == 0) {
    const double error = std::abs(row.predictions[0] - truth);
    if (std::isfinite(error)) s.interval.Add(error, row.half_width);
  }
  for (size_t i = 0; i < row.members.size(); ++i) {
    Member& member = s.roster.Get(row.members[i]);
    const double* prediction = row.predictions.data() + i * outputs;
    member.score.Add(prediction, truth, row.no_change);
    member.loss.Add(s.loss.Of(prediction, truth, kEpsilon), row.informed, counted);
  }
}

// What the row's members would say about it by now, where its outcome is late; batch members say what they said.
const std::vector<double>& SayNow(LoopState& s, const PendingRow& row, const StepInput& input) {
  static thread_local std::vector<double> now;
  const size_t outputs = s.options.outputs();
  now = row.predictions;
  for (size_t i = 0; i < row.members.size(); ++i) {
    Member& member = s.roster.Get(row.members[i]);
    if (member.online == nullptr || !member.Takes(row.row)) continue;
    double* out = now.data() + i * outputs;
    if (input.ahead == nullptr) member.online->Predict(row.features.data(), out);
    else if (const double* late = input.ahead->Late(member.id, row.row)) std::copy_n(late, outputs, out);
    if (s.options.classes == 2) out[0] = 1.0 - out[1];  // as predictions are
  }
  return now;
}

void Learn(LoopState& s, const PendingRow& row, double truth, const StepInput& input) {
  static const std::vector<double> unknown;
  const uint64_t delay = s.pending.next_row() - 1 - row.row;
  const bool blends = !row.history && s.blend.size() > 0;
  const std::vector<double>& now = blends && delay > 0 && !input.recompute ? SayNow(s, row, input) : unknown;
  if (!input.recompute && input.ahead == nullptr) {
    for (Member& member : s.roster.members) {
      if (member.online == nullptr || !member.Takes(row.row)) continue;
      const Sample sample(s, &member, row.row);
      member.online->Learn(row.features.data(), truth, 1.0);
    }
  }
  if (blends) s.blend.Learn(row, truth, delay, now);
}

bool Closed(const LoopState& s, const PendingRow& row) {
  if (s.options.window_rows > 0 && s.pending.next_row() - 1 - row.row > s.options.window_rows) return true;
  return s.options.window_time > 0 && row.time != kNoTime && s.now - row.time > s.options.window_time;
}

// Lets go of rows at the head of the queue, in the order of prediction: those whose outcome is known count for tests, those whose window
// closed wait aside.
void Drain(LoopState& s, const StepInput& input, Effects* effects) {
  while (!s.pending.empty()) {
    const PendingRow& front = s.pending.Front();
    if (front.known()) {
      if (s.options.has_window()) Count(s, front, front.truth, effects);
      s.pending.PopFront();
    } else if (Closed(s, front)) {
      if (!std::isnan(s.options.missing_outcome)) {
        Score(s, front, s.options.missing_outcome, effects);
        Learn(s, front, s.options.missing_outcome, input);
        Count(s, front, s.options.missing_outcome, effects);
        s.pending.PopFront();
      } else {
        s.pending.SetFrontAside();
      }
    } else if (!s.options.has_window() && s.pending.size() > kMostWaiting) {
      s.pending.SetFrontAside();
    } else {
      return;
    }
  }
}

// Adds what the event says about members to the row.
void TakePredictions(const LoopState& s, const Event& event, PendingRow* row) {
  for (const uint32_t member : event.members)
    if (member == 0 || member > s.roster.members.size()) throw Error(ErrorKind::kDamaged, "a stored row names a member that there is not");
  row->members.insert(row->members.end(), event.members.begin(), event.members.end());
  row->predictions.insert(row->predictions.end(), event.predictions.begin(), event.predictions.end());
}

// What the blend's parties say, whether or not it serves.
void NoteParties(const LoopState& s, PendingRow* row) {
  if (s.blend.size() == 0) return;
  static thread_local std::vector<double> blended;
  blended.resize(s.options.outputs());
  s.blend.Predict(row->members, row->predictions, blended.data(), &row->parties);
}

void OnRow(LoopState& s, const StepInput& input, Effects* effects) {
  const Event& event = input.event;
  Drain(s, input, effects);
  PendingRow& row = s.pending.Push();
  assert(row.row == event.row);
  row.time = event.time;
  row.history = event.history;
  row.informed = s.evidence.rows();
  row.settled = s.pending.first_row();
  row.no_change = s.last_outcome;
  row.half_width = input.given || input.recompute ? event.half_width : s.interval.Get();
  row.features.assign(event.features, event.features + (event.features != nullptr ? s.options.is_category.size() : 0));
  if (s.options.lag_features > 0 && !row.features.empty())
    s.lags.Fill(row.row, row.features.data() + row.features.size() - s.options.lag_features);
  row.members.clear();
  row.predictions.clear();
  row.parties.clear();
  if (event.history) return;
  ++s.predicted;
  effects->predicted = &row;
  if (input.recompute || input.given) {
    if (event.members.empty()) throw Error(ErrorKind::kDamaged, "a stored row was predicted by nobody");
    TakePredictions(s, event, &row);
    NoteParties(s, &row);
    return;
  }
  PredictRow(s, row.row, row.features.data(), &row.members, &row.predictions, input.ahead, &row.parties);
}

void OnOutcome(LoopState& s, const StepInput& input, Effects* effects) {
  const Event& event = input.event;
  if (!s.options.IsOutcome(event.truth))
    throw Error(ErrorKind::kDamaged, "the outcome of row " + std::to_string(event.row) + " is no possible one");
  Drain(s, input, effects);
  PendingRow* row = s.pending.Find(event.row);
  ++s.outcomes;
  s.last_outcome = event.truth;
  if (s.options.lag_features > 0) s.lags.OnOutcome(event.row, event.truth);
  if (row != nullptr && !row->known()) {
    row->truth = event.truth;
    const bool late = Closed(s, *row);
    Score(s, *row, event.truth, effects);
    if (!late) {
      Learn(s, *row, event.truth, input);
      if (!s.options.has_window()) Count(s, *row, event.truth, effects);
    }
    s.pending.DropAside(event.row);
    Drain(s, input, effects);
  }
  Route(s);
  if (RetrainingIsDue(s)) Retrain(s, s.bank.Newest(), effects);
}

// An outcome that was known before its row was predicted.
void OnKnown(LoopState& s, const StepInput& input, Effects* effects) {
  const Event& event = input.event;
  if (!s.options.IsOutcome(event.truth))
    throw Error(ErrorKind::kDamaged, "the outcome of row " + std::to_string(event.row) + " is no possible one");
  Drain(s, input, effects);
  ++s.outcomes;
  PendingRow* row = s.pending.Find(event.row);
  if (row == nullptr || row->known()) return;
  row->truth = event.truth;
  s.monitor.OnKnown(*row);
  row->history = true;
  Learn(s, *row, event.truth, input);
  if (!s.options.has_window()) Count(s, *row, event.truth, effects);
  s.pending.DropAside(event.row);
  Drain(s, input, effects);
  Route(s);
}

void OnShadow(LoopState& s, const Event& event) {
  PendingRow* row = s.pending.Find(event.row);
  if (row != nullptr && !row->known() && !row->history) {
    TakePredictions(s, event, row);
    NoteParties(s, row);
  }
}

// The metrics of what was served follow; tests and learning stay with the first outcome.
void OnCorrection(LoopState& s, const Event& event) {
  if (!s.options.IsOutcome(event.truth) || !s.options.IsOutcome(event.old_truth))
    throw Error(ErrorKind::kDamaged, "the correction of row " + std::to_string(event.row) + " is no possible one");
  if (!event.members.empty()) s.served.Correct(event.predictions.data(), event.old_truth, event.truth);
}

// A new rule of retraining counts from the last one.
void Configure(LoopState& s, JsonObject detail, Effects* effects) {
  const Json options = detail["options"];
  if (!options.is_object()) throw Error(ErrorKind::kDamaged, "a change of options names none");
  const auto rule = s.options.retrain;
  const int64_t every = s.options.retrain_every;
  s.Change(options.get_object());
  if (rule != s.options.retrain || every != s.options.retrain_every) {
    const int64_t retrained_at = s.retrained_at;
    ScheduleRetraining(s);
    s.retrained_at = retrained_at;
  }
  if (s.options.autonomy != Autonomy::kSuggest) s.suggested = 0;
  effects->notices.push_back({"configured", 0, 0, std::move(detail)});
}

void OnWish(LoopState& s, const StepInput& input, Effects* effects) {
  const Event& event = input.event;
  JsonObject detail = ParseJson(event.detail, "the detail of a wish").as_object();
  if (event.word == "pause" || event.word == "resume") {
    s.paused = event.word == "pause";
    effects->notices.push_back({s.paused ? "paused" : "resumed", 0, 0, std::move(detail)});
    return;
  }
  if (event.word == "configure") {
    Configure(s, std::move(detail), effects);
    return;
  }
  if (event.member == 0 || event.member > s.roster.members.size() || !s.roster.Get(event.member).alive || s.roster.champion == 0)
    throw Error(ErrorKind::kDamaged, "a wish names a member that cannot serve");
  Decision decision;
  decision.kind = event.word == "rollback" ? "rolled_back" : "promoted";
  decision.champion = s.roster.champion;
  decision.challenger = event.member;
  decision.numbers = {{"pair", nullptr},
                      {"alpha", nullptr},
                      {"evidence", nullptr},
                      {"rows", 0},
                      {"gain", JsonObject{{"value", nullptr}, {"lower", nullptr}, {"upper", nullptr}}},
                      {"recent_gain", nullptr}};
  for (const auto& [name, value] : detail) decision.numbers[name] = value;
  CarryOut(s, decision, effects);
}

// The search for the first models ended: its best is the model of day one and the first champion.
void OnFirstModel(LoopState& s, const StepInput& input, const std::string& learner, Effects* effects) {
  Roster& roster = s.roster;
  if (!input.event.hash.empty()) {
    auto lineage = std::find_if(roster.lineages.begin(), roster.lineages.end(),
                                [&](const Lineage& l) { return l.learner == learner && l.kind == MemberKind::kBatch; });
    if (lineage == roster.lineages.end()) {
      Lineage added;
      added.id = static_cast<uint32_t>(roster.lineages.size() + 1);
      added.kind = MemberKind::kBatch;
      added.learner = learner;
      added.parameters = input.event.parameters;
      roster.lineages.push_back(added);
      lineage = roster.lineages.end() - 1;
    }
    Member& member = s.AddMember(lineage->id, "day_one");
    member.model = input.model;
    member.model_hash = input.event.hash;
    roster.champion = roster.day_one = member.id;
    // An interval from the first answer on.
    if (s.options.classes == 0) s.interval.Begin(input.event.predictions);
  } else {
    for (const Lineage& lineage : roster.lineages)
      if (lineage.newest != 0 && lineage.eligible && (roster.champion == 0 || lineage.kind == MemberKind::kBlend))
        roster.champion = lineage.newest;
    effects->notices.push_back({"failed", 0, 0, ParseJson(input.event.detail, "the detail of a model event").as_object()});
  }
  s.UpdateSpeakers();
  s.evidence.OnChampion(roster, s.pending.next_row());
  ScheduleRetraining(s);
}

void OnRefit(LoopState& s, const StepInput& input, const TrainRequest& request, Effects* effects) {
  Roster& roster = s.roster;
  Lineage& lineage = roster.lineages[request.lineage - 1];
  JsonObject detail = ParseJson(input.event.detail, "the detail of a model event").as_object();
  if (input.event.hash.empty()) {
    effects->notices.push_back({"failed", lineage.newest, 0, std::move(detail)});
    return;
  }
  ++lineage.refits;
  if (!request.bank.empty() && input.event.predictions.size() == request.bank.size() * s.options.outputs())
    detail["bank"] = JudgeOnBank(s, request, input.event.predictions);
  const uint32_t newest = lineage.newest;
  // Who serves, may be rolled back to, or stands for day one stays as it is; its lineage goes on in another member.
  const bool pinned = newest == 0 || newest == roster.champion || newest == roster.former || newest == roster.day_one;
  std::string name = lineage.learner;
  const auto taken = [&](const std::string& wanted) {
    return std::any_of(roster.members.begin(), roster.members.end(), [&](const Member& m) { return m.name == wanted; });
  };
  for (int k = 2; pinned && taken(name); ++k) name = lineage.learner + "#" + std::to_string(k);
  Member& member = pinned ? s.AddMember(lineage.id, name) : roster.Get(newest);
  member.version = lineage.refits;
  member.model = input.model;
  member.model_hash = input.event.hash;
  detail["version"] = member.version;
  const uint32_t id = member.id;
  RetireUnneeded(s);
  s.UpdateSpeakers();
  effects->notices.push_back({"retrained", id, 0, std::move(detail)});
}

void OnModel(LoopState& s, const StepInput& input, Effects* effects) {
  Drain(s, input, effects);
  if (input.event.request == 0) {
    OnFirstModel(s, input, input.event.learner, effects);
    return;
  }
  const auto request =
      std::find_if(s.requests.begin(), s.requests.end(), [&](const TrainRequest& r) { return r.number == input.event.request; });
  if (request == s.requests.end()) return;
  const TrainRequest done = *request;
  s.requests.erase(request);
  OnRefit(s, input, done, effects);
}

}  // namespace

void PredictRow(LoopState& s, uint64_t row, const double* features, std::vector<uint32_t>* members, std::vector<double>* predictions,
                const LookAhead* ahead, std::vector<double>* parties) {
  const size_t outputs = s.options.outputs();
  const size_t given = members->size();
  const auto ask = [&](uint32_t speaker) {
    if (s.roster.Get(speaker).Takes(row) && std::find(members->begin(), members->end(), speaker) == members->end())
      members->push_back(speaker);
  };
  // A champion that was to rest when it was promoted serves from the end of its rest on; who served before goes on until then.
  const Roster& roster = s.roster;
  if (roster.champion != 0 && roster.former != 0 && !roster.Get(roster.champion).Takes(row)) ask(roster.former);
  for (const uint32_t speaker : s.speakers) ask(speaker);
  predictions->resize(members->size() * outputs);
  size_t blend_at = members->size();
  for (size_t i = given; i < members->size(); ++i) {
    Member& member = s.roster.Get((*members)[i]);
    double* out = predictions->data() + i * outputs;
    const Sample sample(s, &member, row);
    if (member.online != nullptr && ahead != nullptr) std::copy_n(ahead->Of(member.id, row), outputs, out);
    else if (member.online != nullptr) member.online->Predict(features, out);
    else if (member.model != nullptr) member.model->PredictRow(features, out);
    else blend_at = i;
    // So that the stored form, which keeps the second of two probabilities, reads back equal.
    if (s.options.classes == 2) out[0] = 1.0 - out[1];
  }
  if (blend_at == members->size()) return;
  const Sample sample(s, &s.roster.Get((*members)[blend_at]), row);
  double* out = predictions->data() + blend_at * outputs;
  if (!s.blend.Predict(*members, *predictions, out, parties)) s.served.Usual(out);  // where no expert had anything to say
}

void Effects::Clear() {
  predicted = nullptr;
  notices.clear();
  decisions.clear();
  requests.clear();
}

void Step(LoopState& s, const StepInput& input, Effects* effects) {
  effects->Clear();
  ++s.events;
  if (input.event.time != kNoTime) s.now = std::max(s.now, input.event.time);
  if (s.retrained_at == kNoTime) s.retrained_at = s.now;
  switch (input.event.kind) {
    case EventKind::kRow:
      OnRow(s, input, effects);
      for (JsonObject& alarm : s.monitor.OnRow(s.pending.Find(input.event.row), s.roster.champion))
        effects->notices.push_back({"drift", 0, 0, std::move(alarm)});
      break;
    case EventKind::kOutcome:
      OnOutcome(s, input, effects);
      break;
    case EventKind::kModel:
      OnModel(s, input, effects);
      break;
    case EventKind::kShadow:
      OnShadow(s, input.event);
      break;
    case EventKind::kKnown:
      OnKnown(s, input, effects);
      break;
    case EventKind::kCorrection:
      OnCorrection(s, input.event);
      break;
    case EventKind::kWish:
      OnWish(s, input, effects);
      break;
    case EventKind::kTick:
      Drain(s, input, effects);
      if (RetrainingIsDue(s)) Retrain(s, s.bank.Newest(), effects);
      break;
    case EventKind::kNotice:
      effects->notices.push_back({input.event.word, input.event.member <= s.roster.members.size() ? input.event.member : 0, 0,
                                  ParseJson(input.event.detail, "the detail of a notice").as_object()});
      break;
  }
}

}  // namespace everlearn
