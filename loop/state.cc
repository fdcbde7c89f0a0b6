#include "loop/state.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "base/random.h"
#include "loop/roster_entry.h"

namespace everlearn {
namespace {

constexpr uint32_t kCheckpointFormat = 12;

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// Learns row by row, and may serve.
bool IsExpert(const LoopOptions& options, const LearnerInfo& learner) {
  return learner.online() && (options.lags || !learner.repeats_outcomes);
}

std::vector<RosterEntry> CompleteRoster(const LoopOptions& options) {
  std::vector<std::string> names = options.roster;
  if (names.empty() || names == std::vector<std::string>{kBlendName})
    names = DefaultRoster(options.classes, options.lag_features > 0, options.quick_roster);
  std::vector<RosterEntry> entries;
  const auto add = [&](const std::string& name) {
    RosterEntry entry = ParseRosterEntry(name, options.parameters);
    for (const RosterEntry& other : entries)
      if (entry.IsSameAs(other))
        throw Error(ErrorKind::kUsage, "the roster names " + name + " twice" + (other.name == name ? "" : ", also as " + other.name));
    entries.push_back(std::move(entry));
  };
  bool online = false, blend = false;
  for (const std::string& name : names) {
    add(name);
    blend = blend || name == kBlendName;
    online = online || (name != kBlendName && IsExpert(options, Learners().Get(entries.back().learner)));
  }
  if (!online) add(options.classes > 0 ? "running_majority" : "running_mean");  // somebody must predict before the first training
  if (entries.size() > 1 && !blend) add(kBlendName);
  if (entries.size() == 2 && blend) std::erase_if(entries, [](const RosterEntry& entry) { return entry.learner == kBlendName; });
  return entries;
}

}  // namespace

Json LoopOptions::ToJson() const {
  JsonArray categories;
  for (const bool is : is_category) categories.push_back(is);
  // The default one is written out: a later version's may be another.
  const std::vector<std::string> members = roster.empty() ? DefaultRoster(classes, lag_features > 0, quick_roster) : roster;
  JsonArray names(members.begin(), members.end());
  JsonArray watchers(detectors.begin(), detectors.end());
  JsonArray column_names(columns.begin(), columns.end());
  JsonObject by_learner;
  for (const auto& [learner, text] : parameters) by_learner[learner] = text;
  return JsonObject{{"metric", metric},
                    {"classes", classes},
                    {"is_category", categories},
                    {"columns", column_names},
                    {"roster", names},
                    {"detectors", watchers},
                    {"parameters", by_learner},
                    {"lags", lags},
                    {"lag_features", lag_features},
                    {"history", history},
                    {"error_rate", evidence.error_rate},
                    {"minimum_gain", evidence.minimum_gain},
                    {"half_life", evidence.half_life},
                    {"rollback_rows", evidence.rollback_rows},
                    {"guard_rows", evidence.guard_rows},
                    {"dwell", evidence.dwell},
                    {"window_time", window_time},
                    {"window_rows", window_rows},
                    {"missing_outcome", NumberOrNull(missing_outcome)},
                    {"autonomy", static_cast<int>(autonomy)},
                    {"most_waiting", most_waiting},
                    {"retrain", static_cast<int>(retrain)},
                    {"retrain_every", retrain_every},
                    {"budget_units", budget_units},
                    {"budget_seconds", budget_seconds},
                    {"row_units", row_units},
                    {"seed", std::to_string(seed)}};
}

LoopOptions LoopOptions::FromJson(const Json& json) {
  const auto check = [](bool good, const char* name) {
    if (!good) throw Error(ErrorKind::kDamaged, std::string("the ledger's options are damaged: ") + name);
  };
  const auto whole = [&](const char* name, int64_t least, int64_t most) {
    const int64_t value = IntegerField(json, name);
    check(value >= least && value <= most, name);
    return value;
  };
  const auto number = [&](const char* name, double least, double most) {
    const double value = NumberField(json, name);
    check(value >= least && value <= most, name);
    return value;
  };
  const auto flag = [&](const char* name) {
    const Json& value = Field(json, name);
    check(value.is_bool(), name);
    return value.is_bool() && value.get_bool();
  };
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max(), kMostClasses = 1'000'000;
  constexpr double kLargest = std::numeric_limits<double>::max();
  LoopOptions o;
  o.metric = TextField(json, "metric");
  o.classes = static_cast<size_t>(whole("classes", 0, kMostClasses));
  const Metric* metric = Metrics().Find(o.metric);
  check(metric != nullptr && (o.classes == 0 ? metric->regression : metric->binary || metric->multiclass), "metric");
  for (const Json& is : ArrayField(json, "is_category")) o.is_category.push_back(is.is_bool() && is.get_bool());
  if (json.as_object().contains("columns")) {  // ledgers of version 0.1 have none
    for (const Json& name : ArrayField(json, "columns")) {
      check(name.is_string(), "columns");
      o.columns.emplace_back(name.get_string());
    }
  }
  for (const Json& name : ArrayField(json, "roster")) {
    check(name.is_string(), "roster");
    o.roster.emplace_back(name.get_string());
  }
  if (json.as_object().contains("detectors")) {  // ledgers of before have none
    for (const Json& name : ArrayField(json, "detectors")) {
      check(name.is_string() && Detectors().Find(std::string(name.get_string())) != nullptr, "detectors");
      o.detectors.emplace_back(name.get_string());
    }
  }
  const Json& parameters = Field(json, "parameters");
  check(parameters.is_object(), "parameters");
  for (const auto& [learner, text] : parameters.get_object()) {
    check(text.is_string(), "parameters");
    o.parameters[std::string(learner)] = std::string(text.get_string());
  }
  o.lags = flag("lags");
  if (json.as_object().contains("lag_features")) {  // ledgers of before have none
    o.lag_features = static_cast<size_t>(whole("lag_features", 0, static_cast<int64_t>(o.is_category.size())));
    check(o.lag_features == 0 || o.lag_features == Lags::Count(o.classes), "lag_features");
  }
  o.history = flag("history");
  o.evidence.error_rate = number("error_rate", 1e-9, 0.5);
  o.evidence.minimum_gain = number("minimum_gain", 0, kLargest);
  o.evidence.half_life = number("half_life", 1, kLargest);
  o.evidence.rollback_rows = number("rollback_rows", 1, kLargest);
  o.evidence.guard_rows = number("guard_rows", 1, kLargest);
  o.evidence.dwell = static_cast<uint64_t>(whole("dwell", 0, kMost));
  o.window_time = whole("window_time", 0, kMost);
  o.window_rows = static_cast<uint64_t>(whole("window_rows", 0, kMost));
  o.missing_outcome = Field(json, "missing_outcome").is_null() ? kMissing : NumberField(json, "missing_outcome");
  check(std::isnan(o.missing_outcome) || o.IsOutcome(o.missing_outcome), "missing_outcome");
  o.autonomy = static_cast<Autonomy>(whole("autonomy", 0, static_cast<int64_t>(Autonomy::kAct)));
  o.most_waiting = static_cast<uint64_t>(whole("most_waiting", 1, 100'000'000));
  o.retrain = static_cast<RetrainRule>(whole("retrain", 0, static_cast<int64_t>(RetrainRule::kEveryRows)));
  o.retrain_every = whole("retrain_every", 0, kMost);
  o.budget_units = number("budget_units", 0, kLargest);
  o.budget_seconds = number("budget_seconds", 0, kLargest);
  if (json.as_object().contains("row_units")) o.row_units = number("row_units", 0, kLargest);  // ledgers of before have none
  const std::string seed = TextField(json, "seed");
  const auto [end, error] = std::from_chars(seed.data(), seed.data() + seed.size(), o.seed);
  check(error == std::errc() && end == seed.data() + seed.size(), "seed");
  return o;
}

const std::vector<std::string>& LoopOptions::Changeable() {
  static const std::vector<std::string> names = {"autonomy",       "retrain",      "retrain_every", "budget_units",
                                                 "budget_seconds", "minimum_gain", "error_rate"};
  return names;
}

LoopOptions LoopOptions::With(const JsonObject& values) const {
  JsonObject json = ToJson().as_object();
  for (const auto& [name, value] : values) {
    if (std::find(Changeable().begin(), Changeable().end(), name) == Changeable().end())
      throw Error(ErrorKind::kDamaged, "the option " + std::string(name) + " cannot change");
    json[name] = value;
  }
  return FromJson(json);
}

std::vector<bool> LoopOptions::own_features() const {
  return {is_category.begin(), is_category.end() - static_cast<std::ptrdiff_t>(lag_features)};
}

bool LoopOptions::IsOutcome(double truth) const {
  return classes == 0 ? std::isfinite(truth) : truth >= 0 && truth < static_cast<double>(classes) && truth == std::floor(truth);
}

LoopState::LoopState(LoopOptions given)
    : options(std::move(given)),
      loss(options.metric, options.classes),
      blend(options.classes, loss.is_zero_one()),
      evidence(options.metric, options.classes, options.evidence),
      watch(options.detectors, options.classes),
      pending(options.most_waiting),
      lags(options.classes),
      served(options.classes),
      monitor(options.metric, options.classes, options.own_features(), options.columns) {
  for (const RosterEntry& entry : CompleteRoster(options)) {
    Lineage lineage;
    lineage.id = static_cast<uint32_t>(roster.lineages.size() + 1);
    lineage.learner = entry.learner;
    lineage.parameters = entry.parameters;
    lineage.sees_lags = entry.sees_lags;
    if (entry.learner == kBlendName) {
      lineage.kind = MemberKind::kBlend;
    } else {
      const LearnerInfo& learner = Learners().Get(entry.learner);
      if (!learner.supports(options.classes))
        throw Error(ErrorKind::kUsage, "the learner " + entry.learner + " cannot do this kind of task", "leave it out of --roster");
      lineage.kind = learner.online() ? MemberKind::kOnline : MemberKind::kBatch;
      lineage.baseline = learner.baseline && lineage.kind == MemberKind::kOnline;
      lineage.eligible = options.lags || !learner.repeats_outcomes;
    }
    roster.lineages.push_back(lineage);
    if (lineage.kind == MemberKind::kBatch) continue;
    Member& member = AddMember(lineage.id, entry.name);
    if (lineage.kind != MemberKind::kOnline) continue;
    const LearnerInfo& learner = Learners().Get(entry.learner);
    const auto values =
        ParameterValues::FromJson(entry.learner, learner.parameters, ParseJson(lineage.parameters, "the parameters of " + entry.name));
    member.online = learner.start(ShapeFor(lineage), values, MixBits(options.seed + member.id));
  }
  constexpr uint64_t kFirstTraining = 1000;  // outcomes, where the schedule does not say
  next_retrain = options.retrain == RetrainRule::kEveryRows ? static_cast<uint64_t>(options.retrain_every) : kFirstTraining;
  if (!options.history) {
    for (const Lineage& lineage : roster.lineages)
      if (lineage.newest != 0 && lineage.eligible && (roster.champion == 0 || lineage.kind == MemberKind::kBlend))
        roster.champion = lineage.newest;
    evidence.OnChampion(roster, 0);
  }
  UpdateSpeakers();
}

void LoopState::Change(const JsonObject& values) {
  options = options.With(values);
  evidence.SetOptions(options.evidence);
}

Member& LoopState::AddMember(uint32_t lineage_id, std::string name) {
  Lineage& lineage = roster.lineages[lineage_id - 1];
  Member& member = roster.members.emplace_back();
  member.id = static_cast<uint32_t>(roster.members.size());
  member.lineage = lineage_id;
  member.name = std::move(name);
  member.score = RunningScore(options.classes);
  member.since_row = pending.next_row();
  if (lineage.newest != 0 && blend.HasExpert(lineage.newest)) blend.ReplaceExpert(lineage.newest, member.id);
  else if (lineage.kind != MemberKind::kBlend && lineage.eligible) blend.AddExpert(member.id);
  lineage.newest = member.id;
  return member;
}

void LoopState::UpdateSpeakers() {
  speakers.clear();
  if (roster.champion != 0) speakers.push_back(roster.champion);
  for (const Member& member : roster.members)
    if (member.alive && member.id != roster.champion) speakers.push_back(member.id);
}

std::string LoopState::Save() const { return SaveAll(kWhole); }

std::string LoopState::SaveWithoutRows(uint32_t place) {
  std::string bytes = SaveAll(place);
  rows_place_ = place;
  pending.BeginSave();
  return bytes;
}

std::string LoopState::SaveAll(uint32_t place) const {
  ByteWriter out;
  out.Put(kCheckpointFormat);
  out.Put(place);
  out.Put(events);
  if (place == kWhole) pending.Save(&out);
  else pending.SaveBounds(&out);
  out.PutVarint(roster.lineages.size());
  for (const Lineage& lineage : roster.lineages) {
    out.Put(lineage.kind);
    out.PutText(lineage.learner);
    out.PutText(lineage.parameters);
    out.Put(lineage.eligible);
    out.Put(lineage.sees_lags);
    out.Put(lineage.baseline);
    out.Put(lineage.newest);
    out.Put(lineage.refits);
    out.Put(lineage.paid_off);
  }
  out.PutVarint(roster.members.size());
  for (const Member& member : roster.members) {
    out.Put(member.lineage);
    out.PutText(member.name);
    out.Put(member.alive);
    out.Put(member.version);
    out.PutText(member.model_hash);
    out.PutText(member.online && member.alive ? member.online->State() : "");
    out.Put(member.since_row);
    out.PutVarint(member.resting.size());
    for (const Rest& rest : member.resting)
      for (const uint64_t row : {rest.from, rest.wakes}) out.Put(row);
    out.Put(member.rests);
    member.score.Save(&out);
    member.loss.Save(&out);
    member.alarm.Save(&out);
    out.Put(member.cpu_seconds);
  }
  out.Put(roster.champion);
  out.Put(roster.former);
  out.Put(roster.day_one);
  blend.Save(&out);
  evidence.Save(&out);
  bank.Save(&out);
  alarm.Save(&out);
  watch.Save(&out);
  out.PutVarint(requests.size());
  for (const TrainRequest& request : requests) {
    out.Put(request.number);
    out.Put(request.lineage);
    out.PutText(request.learner);
    out.PutText(request.parameters);
    out.Put(request.outcomes);
    out.Put(request.first_waiting);
    SaveBankRows(request.bank, &out);
    out.Put(request.recent_row);
    out.Put(request.units);
    out.Put(request.seconds);
    out.Put(request.due);
  }
  for (const uint64_t count : {outcomes, predicted, decisions, next_retrain}) out.Put(count);
  out.Put(requests_made);
  out.Put(patience);
  out.Put(judged_at);
  out.Put(recent_row);
  out.Put(retrained_at);
  out.Put(now);
  out.Put(last_outcome);
  if (options.lag_features > 0) lags.Save(&out);
  out.PutText(driver);
  out.Put(paused);
  out.Put(suggested);
  const JsonObject all = options.ToJson().as_object();
  JsonObject changeable;
  for (const std::string& name : LoopOptions::Changeable()) changeable[name] = all.at(name);
  out.PutText(ToText(changeable));
  served.Save(&out);
  served_loss.Save(&out);
  interval.Save(&out);
  monitor.Save(&out);
  out.Put(HashBytes(out.bytes()));
  return out.Take();
}

void LoopState::Load(const std::string& bytes, const ModelOf& model_of, const PartOf& part_of) {
  const size_t size = bytes.size() < sizeof(uint64_t) ? 0 : bytes.size() - sizeof(uint64_t);
  if (size == 0 || ByteReader(std::string_view(bytes).substr(size)).Get<uint64_t>() != HashBytes(std::string_view(bytes).substr(0, size)))
    throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its checksum does not match");
  ByteReader in(std::string_view(bytes).substr(0, size));
  if (in.Get<uint32_t>() != kCheckpointFormat) throw Error(ErrorKind::kDamaged, "the checkpoint is of another version of Everlearn");
  rows_place_ = in.Get<uint32_t>();
  events = in.Get<uint64_t>();
  pending.LoadBounds(&in);
  if (rows_place_ == kWhole) {
    pending.LoadPart(&in);
  } else {
    if (part_of == nullptr) throw Error(ErrorKind::kDamaged, "the checkpoint lacks its rows");
    bool more = true;
    for (uint32_t part = 0; more; ++part) {
      const std::string rows = part_of(rows_place_, events, part, &more);
      ByteReader reader(rows);
      pending.LoadPart(&reader);
    }
  }
  pending.EndLoad();
  roster = {};
  roster.lineages.resize(in.GetCount());
  for (Lineage& lineage : roster.lineages) {
    lineage.id = static_cast<uint32_t>(&lineage - roster.lineages.data() + 1);
    lineage.kind = in.Get<MemberKind>();
    lineage.learner = in.GetText();
    lineage.parameters = in.GetText();
    lineage.eligible = in.Get<bool>();
    lineage.sees_lags = in.Get<bool>();
    lineage.baseline = in.Get<bool>();
    lineage.newest = in.Get<uint32_t>();
    lineage.refits = in.Get<uint32_t>();
    lineage.paid_off = in.Get<uint64_t>();
  }
  LoadMembers(&in, model_of);
  roster.champion = in.Get<uint32_t>();
  roster.former = in.Get<uint32_t>();
  roster.day_one = in.Get<uint32_t>();
  blend.Load(&in);
  evidence.Load(&in);
  const auto is_outcome = [&](double truth) { return options.IsOutcome(truth); };
  bank.Load(&in, is_outcome);
  alarm.Load(&in);
  watch.Load(&in);
  requests.resize(in.GetCount());
  for (TrainRequest& request : requests) {
    request.number = in.Get<uint32_t>();
    request.lineage = in.Get<uint32_t>();
    request.learner = in.GetText();
    request.parameters = in.GetText();
    request.outcomes = in.Get<uint64_t>();
    request.first_waiting = in.Get<uint64_t>();
    request.bank = LoadBankRows(&in, is_outcome);
    request.recent_row = in.Get<uint64_t>();
    request.units = in.Get<double>();
    request.seconds = in.Get<double>();
    request.due = in.Get<int64_t>();
  }
  for (uint64_t* count : {&outcomes, &predicted, &decisions, &next_retrain}) *count = in.Get<uint64_t>();
  requests_made = in.Get<uint32_t>();
  patience = in.Get<uint32_t>();
  judged_at = in.Get<uint64_t>();
  recent_row = in.Get<uint64_t>();
  retrained_at = in.Get<int64_t>();
  now = in.Get<int64_t>();
  last_outcome = in.Get<double>();
  if (options.lag_features > 0) lags.Load(&in);
  driver = in.GetText();
  paused = in.Get<bool>();
  suggested = in.Get<uint32_t>();
  LoadChangeable(in.GetText());
  served.Load(&in);
  served_loss.Load(&in);
  interval.Load(&in);
  monitor.Load(&in);
  CheckNumbers();
  UpdateSpeakers();
}

void LoopState::LoadMembers(ByteReader* in, const ModelOf& model_of) {
  roster.members.resize(in->GetCount());
  for (Member& member : roster.members) {
    member.id = static_cast<uint32_t>(&member - roster.members.data() + 1);
    member.lineage = in->Get<uint32_t>();
    if (member.lineage == 0 || member.lineage > roster.lineages.size())
      throw Error(ErrorKind::kDamaged, "the checkpoint names a lineage it lacks");
    member.name = in->GetText();
    member.alive = in->Get<bool>();
    member.version = in->Get<uint32_t>();
    member.model_hash = in->GetText();
    const std::string online = in->GetText();
    member.since_row = in->Get<uint64_t>();
    member.resting.resize(in->GetCount());
    for (Rest& rest : member.resting)
      for (uint64_t* row : {&rest.from, &rest.wakes}) *row = in->Get<uint64_t>();
    member.rests = in->Get<uint32_t>();
    if (member.rests > 0 && member.resting.empty()) throw Error(ErrorKind::kDamaged, "the checkpoint lacks the rest of a member");
    member.score = RunningScore(options.classes);
    member.score.Load(in);
    member.loss.Load(in);
    member.alarm.Load(in);
    member.cpu_seconds = in->Get<double>();
    if (model_of == nullptr || !member.alive) continue;
    if (!member.model_hash.empty()) member.model = model_of(member.model_hash);
    const Lineage& lineage = roster.lineages[member.lineage - 1];
    if (lineage.kind != MemberKind::kOnline) continue;
    const LearnerInfo& learner = Learners().Get(lineage.learner);
    const auto values = ParameterValues::FromJson(lineage.learner, learner.parameters,
                                                  ParseJson(lineage.parameters, "the parameters of " + lineage.learner));
    member.online = learner.resume(ShapeFor(lineage), values, online);
  }
}

void LoopState::LoadChangeable(const std::string& text) {
  Json values;
  try {
    values = ParseJson(text, "the options");
  } catch (const Error& error) {
    throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: " + error.message());
  }
  if (!values.is_object()) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its options are none");
  Change(values.get_object());
}

void LoopState::CheckNumbers() const {
  const size_t members = roster.members.size(), lineages = roster.lineages.size();
  bool good = roster.champion <= members && roster.former <= members && roster.day_one <= members;
  for (const Lineage& lineage : roster.lineages) good = good && lineage.newest <= members && lineage.kind <= MemberKind::kBlend;
  for (const Blend::Expert& expert : blend.experts()) good = good && expert.member >= 1 && expert.member <= members;
  for (const TrainRequest& request : requests) good = good && request.lineage >= 1 && request.lineage <= lineages;
  good = good && evidence.Fits(roster) && suggested <= members &&
         pending.Fits(members, options.outputs(), options.is_category.size(), [&](double truth) { return options.IsOutcome(truth); });
  if (!good) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: it names what it does not hold");
}

}  // namespace everlearn
