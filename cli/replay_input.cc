#include "cli/replay_input.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/suggest.h"
#include "base/timestamp.h"
#include "cli/budget_flag.h"
#include "cli/event_order.h"
#include "cli/event_rows.h"
#include "cli/terminal.h"
#include "data/postgres.h"
#include "data/reader.h"
#include "loop/roster_entry.h"

namespace everlearn {
namespace {

[[noreturn]] void Refuse(const std::string& flag, const std::string& text, const std::string& hint) {
  throw Error(ErrorKind::kUsage, flag + ": '" + text + "' is not understood", hint);
}

void SetRetraining(const std::string& text, LoopOptions* options) {
  if (text == "auto" || text == "never") {
    options->retrain = text == "auto" ? RetrainRule::kAuto : RetrainRule::kNever;
  } else if (const auto rows = ParseRows(text); rows && *rows > 0) {
    options->retrain = RetrainRule::kEveryRows;
    options->retrain_every = static_cast<int64_t>(*rows);
  } else if (const auto time = ParseDuration(text); time && *time > 0) {
    options->retrain = RetrainRule::kEveryTime;
    options->retrain_every = *time;
  } else {
    Refuse("--retrain", text, "write auto, never, a time such as 1d, or a number of rows such as \"10000 rows\"");
  }
}

double ParseRowBudget(const std::string& text) {
  if (text == "none") return 0;
  const auto units = ParseUnits(text);
  if (!units) Refuse("--row-budget", text, "write work units a row such as 0.03units (of 10 ms each), or none");
  return *units;
}

void SetWindow(const std::string& text, LoopOptions* options) {
  if (text.empty()) return;
  if (const auto rows = ParseRows(text); rows && *rows > 0) options->window_rows = *rows;
  else if (const auto time = ParseDuration(text); time && *time > 0) options->window_time = *time;
  else Refuse("--outcome-window", text, "write a time such as 24h, or a number of rows");
}

void SetDelay(const LoopFlags& flags, ScheduleInput* schedule) {
  if (flags.delay.empty()) return;
  if (!flags.outcome_time.empty())
    throw Error(ErrorKind::kUsage, "--delay and --outcome-time exclude each other", "an outcome has one time");
  if (const auto rows = ParseRows(flags.delay)) {
    schedule->delay_rows = std::min<uint64_t>(*rows, schedule->rows);
  } else if (const auto time = ParseDuration(flags.delay)) {
    if (schedule->times.empty())
      throw Error(ErrorKind::kUsage, "--delay " + flags.delay + " is a time, but there is no --time", "give it in rows");
    schedule->delay_time = *time;
  } else {
    Refuse("--delay", flags.delay, "write a number of rows such as 1000, or a time such as 3h");
  }
}

}  // namespace

void SetMissingOutcome(const std::string& text, const Task& task, LoopOptions* options) {
  if (text == "unknown") return;
  if (!options->has_window())
    throw Error(ErrorKind::kUsage, "--missing-outcome needs --outcome-window: without one an outcome may always still come");
  if (task.is_classification()) {
    const int label = task.LabelIndex(text);
    if (label < 0) throw Error(ErrorKind::kUsage, "--missing-outcome: there is no class '" + text + "'", SuggestionHint(text, task.labels));
    options->missing_outcome = label;
    return;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    Refuse("--missing-outcome", text, "write unknown, or the number that silence means");
  options->missing_outcome = value;
}

void AddLoopFlags(CLI::App& app, LoopFlags* flags) {
  app.add_option("--start", flags->start, "history to fit the first models on: rows, or a date (default: 0, learn from the first row on)")
      ->type_name("ROWS|DATE");
  app.add_option("--delay", flags->delay, "an outcome becomes known so many rows, or so much time, after its row")->type_name("ROWS|TIME");
  app.add_option("--outcome-time", flags->outcome_time, "the column that says when an outcome became known")->type_name("COL");
  app.add_option("--outcome-window", flags->outcome_window, "after this an outcome counts as missing (default: never)")
      ->type_name("TIME|ROWS");
  app.add_option("--missing-outcome", flags->missing_outcome, "what silence means: unknown, or a value (default: unknown)")
      ->type_name("VALUE");
  app.add_option("--retrain", flags->retrain, "auto, never, a time (1d) or rows (\"10000 rows\") between trainings")->type_name("RULE");
  app.add_option("--roster", flags->roster,
                 "the members: learners, or learners with parameters (online_linear:forgetting=0.01); default: chosen for the kind of task")
      ->delimiter(',')
      ->type_name("A,B");
  app.add_option("--detectors", flags->detectors,
                 "drift detectors over the errors of what is served; each alarm is an event (see detectors)")
      ->delimiter(',')
      ->type_name("A,B");
  app.add_option("--lags", flags->lags, "auto: earlier outcomes, where already known, are inputs; none: they are not")
      ->type_name("auto|none");
  app.add_option("--error-rate", flags->error_rate, "of a false promotion over the whole life (default: 0.05)")
      ->check(CLI::Range(1e-9, 0.5))
      ->type_name("RATE");
  app.add_option("--minimum-gain", flags->minimum_gain, "least recent gain of a promotion, in units of the loss (default: 0)")
      ->check(CLI::Range(0.0, 1e300))
      ->type_name("GAIN");
  app.add_option("--autonomy", flags->autonomy, "observe (no change of champion), suggest (a person decides), act (default)")
      ->type_name("WORD");
  app.add_option("--row-budget", flags->row_budget,
                 "work a row, of all online members, and half as much for trainings: units of 10 ms, or none for no limit (default: "
                 "0.03units in replay, none in run)")
      ->type_name("UNITS");
  app.add_option("--budget", flags->budget, "of each training: work units, or a time (default: 2000units)")->type_name("UNITS|TIME");
}

LoopOptions ToLoopOptions(const LoopFlags& flags, const TaskFlags& task, uint64_t seed) {
  LoopOptions options;
  options.seed = seed;
  options.evidence.error_rate = flags.error_rate;
  options.evidence.minimum_gain = flags.minimum_gain;
  if (flags.lags != "auto" && flags.lags != "none") Refuse("--lags", flags.lags, "write auto or none");
  options.lags = flags.lags == "auto";
  const std::vector<std::string> words{"observe", "suggest", "act"};
  const auto word = std::find(words.begin(), words.end(), flags.autonomy);
  if (word == words.end()) Refuse("--autonomy", flags.autonomy, "write observe, suggest or act");
  options.autonomy = static_cast<Autonomy>(word - words.begin());
  SetRetraining(flags.retrain, &options);
  const Budget budget = ParseBudget(flags.budget);
  options.budget_seconds = budget.seconds;
  options.budget_units = budget.units;
  options.row_units = ParseRowBudget(flags.row_budget);
  SetWindow(flags.outcome_window, &options);
  options.roster = flags.roster.empty() ? task.learners : flags.roster;
  if (options.roster == std::vector<std::string>{"default"}) options.roster.clear();
  for (const std::string& name : options.roster) ParseRosterEntry(name, {});
  options.quick_roster = flags.quick_roster;
  options.detectors = flags.detectors;
  for (const std::string& name : options.detectors) Detectors().Get(name);
  if (!task.task.weight.empty() || !task.task.group.empty() || task.folds != 0)
    throw Error(ErrorKind::kUsage, "--weight, --group and --folds do not go with the loop", "its rows count alike, in the order of time");
  for (const auto& [learner, value] : LearnerSettings(task)) options.parameters[learner] = ToText(value.ToJson());
  return options;
}

ReplayInput ReadReplayInput(const std::string& place, const TaskFlags& flags, const LoopFlags& loop, const CommonOptions& common,
                            LoopOptions* options, std::vector<SchemaWarning>* warnings) {
  const std::string source = ShownPlace(place);
  std::vector<std::string> said;
  Table raw = ReadTable(place, {common.threads, common.memory_bytes, common.query}, &said);
  for (std::string& message : said) warnings->push_back({"source", std::move(message), ""});
  EventRows rows = TypeRows(raw, source, flags, loop, warnings);
  raw = {};
  OrderRows(&rows, source, loop, options, warnings);

  ReplayInput input;
  ScheduleInput& schedule = input.schedule;
  const Table& table = rows.table;
  if (!rows.task.time.empty()) {
    const Column& time = table.Get(rows.task.time, source);
    for (size_t i = 0; i < table.rows; ++i) schedule.times.push_back(TimeOf(time, i));
  }
  if (!loop.outcome_time.empty()) {
    if (schedule.times.empty()) throw Error(ErrorKind::kUsage, "--outcome-time needs --time", "name the column of the rows' own time");
    const Column& known = TimeColumn(table, loop.outcome_time, source);
    for (size_t i = 0; i < table.rows; ++i) schedule.outcome_times.push_back(TimeOf(known, i));
  }
  if (options->window_time > 0 && schedule.times.empty())
    throw Error(ErrorKind::kUsage, "--outcome-window " + loop.outcome_window + " is a time, but there is no --time", "give it in rows");
  if (options->retrain == RetrainRule::kEveryTime && schedule.times.empty())
    throw Error(ErrorKind::kUsage, "--retrain " + loop.retrain + " is a time, but there is no --time",
                "give it in rows, such as \"10000 rows\"");
  schedule.rows = table.rows;
  SetDelay(loop, &schedule);
  for (const double value : rows.target) schedule.has_outcome.push_back(!std::isnan(value));
  input.start = StartRow(loop.start, schedule.times, schedule.rows);
  if (input.start >= schedule.rows)
    throw Error(ErrorKind::kUsage, "--start " + loop.start + " leaves no row to predict: there are " + Grouped(schedule.rows),
                "begin earlier");
  options->history = input.start > 0;

  input.values = rows.space.Encode(table);
  input.task = std::move(rows.task);
  input.schema = std::move(rows.schema);
  input.space = std::move(rows.space);
  input.target = std::move(rows.target);
  if (options->lag_features > 0) FillLags(schedule, input.target, options->classes, input.values);
  return input;
}

}  // namespace everlearn
