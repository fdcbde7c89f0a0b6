#include "loop/replay.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/random.h"
#include "base/resources.h"
#include "loop/checkpoint.h"
#include "loop/event.h"
#include "loop/look_ahead.h"
#include "loop/recorder.h"
#include "loop/records.h"
#include "loop/step.h"
#include "model/model_file.h"

namespace everlearn {
namespace {

constexpr uint64_t kEventsPerCommit = 1024;
constexpr uint64_t kRowsPerCheckpoint = 10'000;
constexpr uint64_t kRowsPerProgress = 2'000;

template <typename T>
uint64_t HashValues(std::span<const T> values, uint64_t seed) {
  return HashBytes({reinterpret_cast<const char*>(values.data()), values.size_bytes()}, seed);
}

// What a ledger must have in common with a replay to be resumed by it.
JsonObject Describe(const ReplayInput& input) {
  const ScheduleInput& s = input.schedule;
  uint64_t hash = HashValues(std::span<const double>(input.values), input.values.size());
  hash = HashValues(std::span<const double>(input.target), hash);
  hash = HashValues(std::span<const int64_t>(s.times), hash);
  hash = HashValues(std::span<const int64_t>(s.outcome_times), hash);
  return {{"rows", s.rows}, {"source", HashText(hash)}, {"start", input.start}, {"delay_rows", s.delay_rows}, {"delay_time", s.delay_time}};
}

class ReplayRun {
 public:
  ReplayRun(const ReplayInput& input, const ReplayOptions& options, Trainer& trainer, Ledger& ledger)
      : input_(input),
        options_(options),
        trainer_(trainer),
        ledger_(ledger),
        schedule_(input.schedule),
        state_(options.loop),
        ahead_(schedule_, input.values, input.target, input.start, options.threads),
        recorder_(state_, ledger, [this](const std::string&, const JsonObject& notice) {
          if (options_.notice) options_.notice(notice);
        }) {}

  JsonObject Run() {
    if (const auto finished = Open()) return ParseJson(*finished, "the ledger's result").as_object();
    Resume();
    for (const TrainRequest& request : state_.requests) Begin(request);
    while (Position() < schedule_.size()) {
      const size_t item = Position();
      if (item >= stretch_end_) BeginStretch(item);
      TakeFinishedTrainings(item);
      if (!schedule_.is_outcome(item)) BeforeRow(schedule_.row(item));
      Feed(ItemEvent(item));
      if (options_.stop && options_.stop()) Interrupt();
    }
    JsonObject result = Result();
    ledger_.SetFact(kFinishedFact, ToText(result));
    ledger_.Commit();
    return result;
  }

 private:
  [[noreturn]] void Interrupt() {
    ledger_.Commit();
    throw Error(ErrorKind::kInterrupted, "interrupted after " + std::to_string(state_.pending.next_row()) + " rows",
                options_.keeps_ledger ? "the same command goes on from there" : "");
  }

  // The only moments at which the online members are where the state is.
  void BeginStretch(size_t item) {
    const uint64_t rows = state_.pending.next_row();
    // Waiting rows are part of a checkpoint: where there are very many, it is written less often.
    const uint64_t apart = std::max<uint64_t>(kRowsPerCheckpoint, state_.pending.size() + state_.pending.aside());
    if (options_.keeps_ledger && rows - checkpointed_ >= apart) {
      ledger_.PutCheckpoint({ledger_.last_event(), state_.Save()});
      ledger_.Commit();
      checkpointed_ = rows;
    }
    stretch_end_ = (item / LookAhead::kStretch + 1) * LookAhead::kStretch;
    if (!LookAhead::Fits(options_.loop, input_.schedule)) return;
    ahead_.Prepare(&state_, item);
    recorder_.SetAhead(&ahead_);
  }

  TrainingResult WaitFor(uint32_t training) {
    auto result = trainer_.Wait(training, options_.stop);
    if (!result) Interrupt();
    return std::move(*result);
  }

  size_t outputs() const { return options_.loop.outputs(); }
  size_t Position() const { return state_.pending.next_row() + state_.outcomes; }

  // Writes or checks what the ledger is about; returns the result of a replay that is finished.
  std::optional<std::string> Open() {
    const std::pair<const char*, std::string> facts[] = {
        {kTaskFact, ToText(input_.task.ToJson())}, {kOptionsFact, ToText(options_.loop.ToJson())}, {kReplayFact, ToText(Describe(input_))}};
    for (const auto& [name, mine] : facts) {
      const auto theirs = ledger_.Fact(name);
      if (!theirs) {
        if (ledger_.last_event() > 0) throw Error(ErrorKind::kDamaged, std::string("the ledger has events but no fact '") + name + "'");
        ledger_.SetFact(name, mine);
      } else if (*theirs != mine) {
        throw Error(ErrorKind::kUsage, "the ledger belongs to another replay: " + Difference(*theirs, mine),
                    "name another --ledger, or repeat the flags and the source with which it was made");
      }
    }
    auto finished = ledger_.Fact(kFinishedFact);
    // What answers for a whole ledger must be whole: reading checks every segment.
    if (finished) {
      const Json* events = ParseJson(*finished, "the ledger's result").as_object().if_contains("events_recorded");
      const uint64_t recorded = events == nullptr || !events->is_number() ? 0 : events->to_number<uint64_t>();
      if (recorded != ledger_.last_event())
        throw Error(ErrorKind::kDamaged, "the ledger is damaged: its result was of " + std::to_string(recorded) + " events, it has " +
                                             std::to_string(ledger_.last_event()));
      ledger_.ReadEvents(1, recorded, [](uint64_t, std::string_view) { return true; });
    }
    return finished;
  }

  static std::string Difference(const std::string& theirs, const std::string& mine) {
    const Json a = ParseJson(theirs, "the ledger's facts"), b = ParseJson(mine, "this replay's facts");
    for (const auto& [name, value] : a.as_object()) {
      const Json* other = b.as_object().if_contains(name);
      if (other == nullptr || ToText(*other) != ToText(value))
        return std::string(name) + " was " + ToText(value) + ", is " + (other == nullptr ? "absent" : ToText(*other));
    }
    return "it has other options";
  }

  // Checkpoint, then the events after it once more, which must come out as they were stored.
  void Resume() {
    state_ = std::move(*RestoreState(ledger_, options_.loop, [&](const std::string& hash) { return StoredModel(ledger_, hash); }));
    state_.cpu_clock = ThreadCpuSeconds;
    Event event;
    Effects effects;
    ledger_.ReadEvents(state_.events + 1, ledger_.last_event(), [&](uint64_t number, std::string_view bytes) {
      DecodeEvent(bytes, outputs(), options_.loop.classes > 0, &event);
      std::shared_ptr<const Model> model;
      if (event.kind == EventKind::kModel && !event.hash.empty()) model = StoredModel(ledger_, event.hash);
      if (event.kind == EventKind::kRow) event.features = Features(event.row);
      Step(state_, {event, model}, &effects);
      if (effects.predicted != nullptr && effects.predicted->predictions != event.predictions)
        throw Error(ErrorKind::kDamaged, "event " + std::to_string(number) + " of the ledger is predicted differently now",
                    "was the ledger made by another version, or on another type of machine?");
      return true;
    });
  }

  const double* Features(uint64_t row) const { return input_.values.data() + row * options_.loop.is_category.size(); }

  Event* ItemEvent(size_t item) {
    const uint32_t row = schedule_.row(item);
    event_.time = schedule_.time(item);
    event_.row = row;
    if (schedule_.is_outcome(item)) {
      event_.kind = schedule_.is_early(row) ? EventKind::kKnown : EventKind::kOutcome;
      event_.truth = input_.target[row];
    } else {
      event_.kind = EventKind::kRow;
      event_.features = Features(row);
      event_.history = row < input_.start;
      event_.members.clear();
      event_.predictions.clear();
    }
    return &event_;
  }

  // One event, and what follows from it.
  void Feed(Event* event) {
    const uint64_t number = recorder_.Record(event);
    for (const TrainRequest& request : recorder_.effects().requests) Begin(request);
    Keep(*event, number);
  }

  void Keep(const Event& event, uint64_t number) {
    const bool row = event.kind == EventKind::kRow;
    const uint64_t rows = state_.pending.next_row();
    if (number % kEventsPerCommit == 0 || !recorder_.effects().decisions.empty() || event.kind == EventKind::kModel) ledger_.Commit();
    if (options_.progress && row && (rows % kRowsPerProgress == 0 || rows == input_.schedule.rows))
      options_.progress({rows, input_.schedule.rows, &state_});
  }

  TrainingJob JobOf(const TrainRequest& request) const {
    TrainingJob job;
    job.learner = request.learner;
    job.parameters = request.parameters;
    job.metric = options_.loop.metric;
    const auto known = schedule_.outcome_rows().first(request.outcomes);
    job.rows.assign(known.begin(), known.end());
    std::sort(job.rows.begin(), job.rows.end());
    if (!std::isnan(options_.loop.missing_outcome)) AddSilentRows(request.first_waiting, &job);
    if (request.lineage == 0) job.candidates = FirstCandidates(state_);
    SetBank(request, &job);
    job.units = request.units;
    job.seconds = request.seconds;
    job.seed = MixBits(options_.loop.seed ^ MixBits(request.number));
    job.threads = options_.threads;
    return job;
  }

  // Rows whose window closed without an outcome are trained on as what silence means.
  void AddSilentRows(uint64_t end, TrainingJob* job) const {
    std::vector<bool> known(end);
    for (const uint32_t row : job->rows)
      if (row < end) known[row] = true;
    for (uint32_t row = 0; row < end; ++row)
      if (!known[row]) job->rows.push_back(row);
    std::sort(job->rows.begin(), job->rows.end());
    for (const uint32_t row : job->rows)
      job->targets.push_back(row < end && !known[row] ? options_.loop.missing_outcome : input_.target[row]);
  }

  void Begin(const TrainRequest& request) { trainer_.Start(request.number, JobOf(request)); }

  // Results whose time has come, before the item takes place. Without times that is the next row.
  void TakeFinishedTrainings(size_t item) {
    const int64_t now = schedule_.time(item);
    while (!state_.requests.empty()) {
      const auto next = std::min_element(state_.requests.begin(), state_.requests.end(), [](const TrainRequest& a, const TrainRequest& b) {
        return std::pair(a.due, a.number) < std::pair(b.due, b.number);
      });
      const bool due = next->due == kNoTime ? !schedule_.is_outcome(item) : next->due <= now;
      if (!due) return;
      const TrainRequest request = *next;
      FeedModel(request.number, request.due, WaitFor(request.number));
    }
  }

  void BeforeRow(uint32_t row) {
    if (!options_.loop.history || row != input_.start || state_.roster.champion != 0) return;
    TrainRequest search;
    search.outcomes = state_.outcomes;
    search.first_waiting = state_.pending.first_row();
    search.units = options_.loop.budget_units;
    search.seconds = options_.loop.budget_seconds;
    Begin(search);
    FeedModel(0, state_.now, WaitFor(0));
  }

  void FeedModel(uint32_t request, int64_t time, const TrainingResult& result) {
    Event event;
    event.kind = EventKind::kModel;
    Keep(event, recorder_.RecordModel(request, time, result, {input_.task, input_.schema, input_.space}));
  }

  JsonObject Result() const {
    const std::string& metric = options_.loop.metric;
    const std::vector<double> values = MetricValues(ledger_, state_);
    JsonArray members;
    for (const Member& member : state_.roster.members) {
      JsonObject json{{"name", member.name},
                      {"learner", state_.roster.LineageOf(member.id).learner},
                      {"role", RoleName(state_.roster, member)},
                      {"since_row", member.since_row}};
      for (const auto& [name, value] : ScoreJson(member.score, member.loss, values[member.id])) json[name] = value;
      json["cpu_seconds"] = member.cpu_seconds;
      members.push_back(json);
    }
    JsonArray events;
    for (const LedgerNotice& notice : ledger_.Notices()) events.push_back(ParseJson(notice.body, "a stored event"));
    const Interval gain = state_.evidence.GainSinceDayOne();
    JsonObject result{
        {"rows", input_.schedule.rows},
        {"metric", metric},
        {"events_recorded", ledger_.last_event()},
        {"outcomes_given_up", state_.pending.given_up()},
        {"predictions", state_.predicted},
        {"outcomes", state_.outcomes},
        {"served", ScoreJson(state_.served, state_.served_loss, values[0])},
        {"members", members},
        {"gain_since_day_one",
         JsonObject{{"rows", state_.evidence.rows_since_day_one()}, {"value", gain.value}, {"lower", gain.lower}, {"upper", gain.upper}}},
        {"estimated", state_.monitor.EstimatedJson()},
        {"drift", state_.monitor.DriftJson(kDriftColumns)},
        {"decisions", state_.decisions},
        {"pairs", state_.evidence.pairs()},
        {"events", events}};
    if (options_.loop.classes == 0) result["interval"] = IntervalJson(state_.interval);
    return result;
  }

  const ReplayInput& input_;
  const ReplayOptions& options_;
  Trainer& trainer_;
  Ledger& ledger_;
  Schedule schedule_;
  LoopState state_;
  LookAhead ahead_;
  size_t stretch_end_ = 0;     // item
  uint64_t checkpointed_ = 0;  // rows at the last checkpoint
  Event event_;
  Recorder recorder_;
};

}  // namespace

EncodedRows ReplayInput::Encoded() const {
  EncodedRows rows;
  rows.classes = task.labels.size();
  for (const Feature& feature : space.features()) rows.is_category.push_back(feature.is_category());
  rows.values = values;
  rows.target = target;
  return rows;
}

JsonObject RunReplay(const ReplayInput& input, const ReplayOptions& options, Trainer& trainer, Ledger& ledger) {
  return ReplayRun(input, options, trainer, ledger).Run();
}

}  // namespace everlearn
