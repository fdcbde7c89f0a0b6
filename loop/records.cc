#include "loop/records.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/timestamp.h"
#include "loop/checkpoint.h"
#include "loop/recompute.h"
#include "loop/scored_outcomes.h"
#include "model/model_file.h"

namespace everlearn {
namespace {

Json TimeJson(int64_t time) { return time == kNoTime ? Json(nullptr) : Json(TimestampText(time)); }

Json LastRowJson(const LoopState& state) { return state.pending.next_row() == 0 ? Json(nullptr) : Json(state.pending.next_row() - 1); }

}  // namespace

JsonObject NoticeJson(const LoopState& state, const LoopNotice& notice) {
  JsonObject json{{"row", LastRowJson(state)}, {"time", TimeJson(state.now)}, {"kind", notice.kind}};
  json["member"] = notice.member == 0 ? Json(nullptr) : Json(state.roster.Get(notice.member).name);
  if (notice.decision != 0) json["decision"] = notice.decision;
  json["detail"] = notice.detail;
  return json;
}

JsonObject DecisionJson(const LoopState& state, const LoopDecision& made) {
  const Decision& decision = made.decision;
  JsonObject json{{"decision", made.number},
                  {"kind", decision.kind},
                  {"row", LastRowJson(state)},
                  {"time", TimeJson(state.now)},
                  {"champion", state.roster.Get(decision.champion).name},
                  {"challenger", state.roster.Get(decision.challenger).name}};
  for (const auto& [name, value] : decision.numbers) json[name] = value;
  return json;
}

Task TaskOf(const Ledger& ledger) {
  const auto fact = ledger.Fact(kTaskFact);
  if (!fact) throw Error(ErrorKind::kDamaged, "the ledger holds no task", "was it made by `everlearn replay --ledger`?");
  return Task::FromJson(ParseJson(*fact, "the ledger's task"));
}

LoopOptions OptionsOf(const Ledger& ledger) {
  const auto fact = ledger.Fact(kOptionsFact);
  if (!fact) throw Error(ErrorKind::kDamaged, "the ledger holds no options of a loop", "was it made by `everlearn replay --ledger`?");
  return LoopOptions::FromJson(ParseJson(*fact, "the ledger's options"));
}

std::shared_ptr<const Model> StoredModel(const Ledger& ledger, const std::string& hash) {
  const auto bytes = ledger.Model(hash);
  if (!bytes) throw Error(ErrorKind::kDamaged, "the ledger lacks the model " + hash);
  if (HashText(HashBytes(*bytes)) != hash) throw Error(ErrorKind::kDamaged, "the ledger's model " + hash + " is damaged");
  return ModelFile::Parse(*bytes, "the ledger's model " + hash).model;
}

std::unique_ptr<LoopState> StateOf(const Ledger& ledger) {
  auto state = RestoreState(ledger, OptionsOf(ledger), nullptr);
  Recompute(ledger, state.get(), ledger.last_event(), [](uint64_t, const Event&, const Effects&) { return true; });
  return state;
}

JsonObject ExplainDecision(const Ledger& ledger, int64_t number) {
  const std::vector<LedgerDecision> decisions = ledger.Decisions();
  const LedgerDecision* wanted = nullptr;
  for (const LedgerDecision& decision : decisions)
    if (decision.number == number) wanted = &decision;
  if (wanted == nullptr) {
    throw Error(ErrorKind::kNotFound, "the ledger has no decision " + std::to_string(number),
                decisions.empty() ? "it has none at all" : "it has 1 to " + std::to_string(decisions.back().number));
  }
  const Json stored = ParseJson(wanted->body, "the stored decision");
  LoopState state(OptionsOf(ledger));
  bool equal = false;
  Recompute(ledger, &state, wanted->event, [&](uint64_t event, const Event&, const Effects& effects) {
    for (const LoopDecision& made : effects.decisions)
      if (event == wanted->event && made.number == static_cast<uint64_t>(number)) equal = ToText(DecisionJson(state, made)) == wanted->body;
    return true;
  });
  JsonObject json = stored.as_object();
  json["recomputed_equal"] = equal;
  return json;
}

std::string_view RoleName(const Roster& roster, const Member& member) {
  return member.id == roster.champion ? "champion" : member.alive ? "challenger" : "retired";
}

JsonObject ScoreJson(const RunningScore& score, const BlockMeanSequence& loss, double value) {
  JsonObject json{{"value", value}};
  for (const auto& [name, measure] : score.ToJson()) json[name] = measure;
  json["rows"] = score.rows();
  const Interval interval = loss.Get();
  const Json mean = score.rows() == 0 ? Json(nullptr) : Json(interval.value);
  json["loss"] = JsonObject{{"value", mean}, {"lower", interval.lower}, {"upper", interval.upper}};
  return json;
}

JsonObject IntervalJson(const QuantileTracker& interval) {
  const Json realised =
      interval.rows() == 0 ? Json(nullptr) : Json(static_cast<double>(interval.covered()) / static_cast<double>(interval.rows()));
  return {{"coverage", interval.coverage()}, {"realised", realised}, {"rows", interval.rows()}, {"half_width", interval.Get()}};
}

std::vector<double> MetricValues(const Ledger& ledger, const LoopState& state) {
  const std::string& name = state.options.metric;
  std::vector<double> values;
  if (RunningScore::Knows(name)) {
    values.push_back(state.served.Value(name));
    for (const Member& member : state.roster.members) values.push_back(member.score.Value(name));
    return values;
  }
  const size_t outputs = state.options.outputs(), count = state.roster.members.size() + 1;
  const bool classification = state.options.classes > 0;
  const auto each = [&](const std::function<void(const Event&)>& visit) {
    Event event;
    ledger.ReadEvents(1, ledger.last_event(), [&](uint64_t, std::string_view bytes) {
      DecodeEvent(bytes, outputs, classification, &event);
      visit(event);
      return true;
    });
  };
  ScoredOutcomes outcomes(state.options);
  each([&](const Event& event) { outcomes.Take(event); });
  std::vector<std::vector<double>> truths(count), predictions(count);
  each([&](const Event& event) {
    const bool predicted = (event.kind == EventKind::kRow && !event.history) || event.kind == EventKind::kShadow;
    if (!predicted || std::isnan(outcomes.Of(event.row))) return;
    const auto add = [&](size_t member, const double* prediction) {
      truths[member].push_back(outcomes.Of(event.row));
      predictions[member].insert(predictions[member].end(), prediction, prediction + outputs);
    };
    if (event.kind == EventKind::kRow) add(0, event.predictions.data());
    for (size_t i = 0; i < event.members.size(); ++i)
      if (event.members[i] < count) add(event.members[i], event.predictions.data() + i * outputs);
  });
  const Metric& metric = Metrics().Get(name);
  for (size_t m = 0; m < count; ++m)
    values.push_back(truths[m].empty() ? kMissing : metric.compute({truths[m], predictions[m], state.options.classes}));
  return values;
}

std::vector<std::string> LoopWarnings(const LoopOptions& options) {
  std::vector<std::string> warnings;
  if (!options.has_window())
    warnings.emplace_back("without an outcome window rows count as their outcomes arrive; selectively late outcomes can mislead the tests");
  if (const std::string compared = RowLoss(options.metric, options.classes).name(); compared != options.metric)
    warnings.push_back("the metric " + options.metric + " has no loss on a single row: promotion and roll back compare " + compared);
  return warnings;
}

std::string GivenUpWarning(uint64_t rows) {
  return "so many rows waited for their outcome that " + std::to_string(rows) +
         " were given up: their outcomes are neither scored nor learnt from";
}

JsonObject StatusJson(const LoopState& state, const Task& task, const std::vector<double>& values) {
  const std::string& metric = state.options.metric;
  JsonArray members;
  for (const Member& member : state.roster.members) {
    JsonObject json{{"name", member.name},
                    {"learner", state.roster.LineageOf(member.id).learner},
                    {"role", RoleName(state.roster, member)},
                    {"version", member.version}};
    for (const auto& [name, value] : ScoreJson(member.score, member.loss, values[member.id])) json[name] = value;
    members.push_back(json);
  }
  JsonArray weights;
  for (const Blend::Expert& expert : state.blend.experts())
    weights.push_back(JsonObject{{"member", state.roster.Get(expert.member).name}, {"weight", state.blend.Weight(expert)}});
  const Interval gain = state.evidence.GainSinceDayOne();
  JsonArray warnings;
  for (const std::string& warning : LoopWarnings(state.options)) warnings.emplace_back(warning);
  if (state.pending.given_up() > 0) warnings.emplace_back(GivenUpWarning(state.pending.given_up()));
  JsonObject status{
      {"task", JsonObject{{"target", task.target}, {"kind", TaskKindName(task.kind)}, {"metric", metric}}},
      {"rows", state.pending.next_row()},
      {"predictions", state.predicted},
      {"outcomes", state.outcomes},
      {"paused", state.paused},
      {"suggested", state.suggested == 0 ? Json(nullptr) : Json(state.roster.Get(state.suggested).name)},
      {"waiting", state.pending.CountOpen()},
      {"time", TimeJson(state.now)},
      {"champion", state.roster.champion == 0 ? Json(nullptr) : Json(state.roster.Get(state.roster.champion).name)},
      {"served", ScoreJson(state.served, state.served_loss, values[0])},
      {"members", members},
      {"blend", weights},
      {"warnings", warnings},
      {"tests", state.evidence.OpenTests(state.roster)},
      {"pairs", state.evidence.pairs()},
      {"decisions", state.decisions},
      {"gain_since_day_one",
       JsonObject{{"rows", state.evidence.rows_since_day_one()}, {"value", gain.value}, {"lower", gain.lower}, {"upper", gain.upper}}}};
  status["estimated"] = state.monitor.EstimatedJson();
  status["drift"] = state.monitor.DriftJson(kDriftColumns);
  if (state.options.classes == 0) status["interval"] = IntervalJson(state.interval);
  return status;
}

}  // namespace everlearn
