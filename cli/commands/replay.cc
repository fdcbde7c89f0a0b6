// everlearn replay: the self-running loop over history.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "base/error.h"
#include "base/resources.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/replay_input.h"
#include "cli/replay_line.h"
#include "cli/terminal.h"
#include "loop/records.h"
#include "loop/replay.h"

namespace everlearn {
namespace {

struct ReplayFlags {
  ReplayFlags() { loop.row_budget = "0.03units"; }
  std::string source, ledger, durability = "power";
  bool lines = false;
  TaskFlags task;
  LoopFlags loop;
};

std::string IntervalCell(const Json& interval) { return CellText(Field(interval, "lower")) + " … " + CellText(Field(interval, "upper")); }

// What drifted, or which detector said so.
std::string DriftText(const Json& event) {
  const Json& detail = FieldOrNull(event, "detail");
  if (TextField(event, "kind") != "drift" || !detail.is_object()) return "";
  std::string text = "  " + CellText(FieldOrNull(detail, "what"));
  for (const char* name : {"column", "detector"})
    if (const Json& value = FieldOrNull(detail, name); value.is_string()) text += " " + CellText(value);
  return text;
}

void PrintResult(const Json& result, bool classification) {
  const std::string metric = TextField(result, "metric");
  const std::string second = classification ? "accuracy" : "mae";
  std::vector<std::vector<std::string>> rows{{"", "role", metric, second, "mean loss, 95% interval", "rows"}};
  const auto add = [&](const std::string& name, const std::string& role, const Json& score) {
    rows.push_back({name, role, CellText(Field(score, "value")), CellText(Field(score, second)), IntervalCell(Field(score, "loss")),
                    Grouped(static_cast<size_t>(IntegerField(score, "rows")))});
  };
  add("served", "", Field(result, "served"));
  for (const Json& member : ArrayField(result, "members")) add(TextField(member, "name"), TextField(member, "role"), member);
  std::string text = AlignedTable(rows) + "\n";
  for (const Json& event : ArrayField(result, "events")) {
    text += fmt::format("{:<12}{:<22}{:<13}{}", "row " + CellText(Field(event, "row")), CellText(Field(event, "time")),
                        TextField(event, "kind"), CellText(Field(event, "member")));
    text += DriftText(event);
    if (event.as_object().contains("decision")) text += "  (decision " + CellText(Field(event, "decision")) + ")";
    text += "\n";
  }
  const Json& gain = Field(result, "gain_since_day_one");
  if (!Field(gain, "lower").is_null() && std::isfinite(NumberField(gain, "lower")))
    text += fmt::format("\ngain of what was served over the model of day one: {} a row, 95% interval {}\n", CellText(Field(gain, "value")),
                        IntervalCell(gain));
  if (IntegerField(result, "decisions") == 0) text += "\nThe evidence brought about no change of champion.\n";
  PrintText(text);
}

void WarnAll(const std::vector<SchemaWarning>& warnings, const CommonOptions& common) {
  for (const SchemaWarning& warning : warnings) Warn(common, warning.message);
}

int Replay(const ReplayFlags& flags, const CommonOptions& common) {
  const Stopwatch watch;
  CheckTaskFlags(flags.task);
  LoopOptions loop = ToLoopOptions(flags.loop, flags.task, common.seed);
  if (flags.durability != "power" && flags.durability != "process")
    throw Error(ErrorKind::kUsage, "--durability: '" + flags.durability + "' is unknown", "write power or process");
  std::vector<SchemaWarning> warnings;
  const ReplayInput input = ReadReplayInput(flags.source, flags.task, flags.loop, common, &loop, &warnings);
  for (std::string& warning : LoopWarnings(loop))
    if (loop.has_window() || !input.schedule.outcome_times.empty() || warning.starts_with("the metric"))
      warnings.push_back({"loop", std::move(warning), ""});
  if (const size_t early = input.schedule.CountEarly(); early > 0)
    warnings.push_back(
        {"early_outcome", Grouped(early) + " outcomes are dated before their row: they are learnt from, but not scored", ""});
  WarnAll(warnings, common);
  const auto ledger = OpenLedger(flags.ledger, {flags.durability == "power" ? Durability::kPower : Durability::kProcess, false});
  const EncodedRows encoded = input.Encoded();
  const auto trainer = MakeProcessTrainer(encoded, {common.memory_bytes});
  const GracefulInterrupt interrupt;
  Progress progress(common, "replay");
  ReplayOptions options;
  options.loop = loop;
  options.threads = common.threads;
  options.keeps_ledger = !flags.ledger.empty();
  options.stop = Interrupted;
  ReplayLine line;
  if (progress.active()) options.progress = [&](const ReplayProgress& now) { progress.Show(now.rows, now.all_rows, line.Text(now)); };
  options.notice = [&](const JsonObject& event) {
    if (TextField(event, "kind") == "drift") line.CountAlarm();
    if (flags.lines) PrintText(ToText(event) + "\n");
  };
  JsonObject result = RunReplay(input, options, *trainer, *ledger);

  result["seconds"] = watch.Seconds();
  result["cpu_seconds"] = CpuSeconds();
  result["peak_memory_bytes"] = PeakMemoryBytes();
  if (const int64_t lost = IntegerField(result, "outcomes_given_up"); lost > 0)
    warnings.push_back({"given_up", GivenUpWarning(static_cast<uint64_t>(lost)), ""});
  JsonArray said;
  for (const SchemaWarning& warning : warnings)
    said.push_back(JsonObject{{"code", warning.code}, {"message", warning.message}, {"column", warning.column}});
  result["warnings"] = said;
  if (flags.lines) PrintText(ToText(result) + "\n");
  else if (common.json) PrintDocument(result);
  else PrintResult(result, input.task.is_classification());
  return 0;
}

[[maybe_unused]] const bool registered = Commands().Add(
    "replay", {.order = 40,
               .summary = "run the self-running loop over history: predict, learn from each outcome, retrain, promote on evidence",
               .example = "everlearn replay flights.parquet --target late --time scheduled --outcome-time landed \\\n"
                          "      --outcome-window 24h --start 2013-02-01 --ledger flights.db",
               .setup = [](CLI::App& app, const CommonOptions& common) -> std::function<int()> {
                 auto flags = std::make_shared<ReplayFlags>();
                 app.add_option("SOURCE", flags->source, "file, pattern, SQL, postgresql://… with --query, or - for standard input")
                     ->required()
                     ->type_name("");
                 AddTaskFlags(app, &flags->task);
                 AddLoopFlags(app, &flags->loop);
                 app.add_option("--ledger", flags->ledger,
                                "keep the ledger in this file or PostgreSQL schema; one that was interrupted is resumed")
                     ->type_name("FILE|postgresql://…");
                 app.add_option("--durability", flags->durability, "power (survives a loss of power) or process (survives kill -9)")
                     ->type_name("power|process");
                 app.add_flag("--jsonl", flags->lines, "each event as one line of JSON as it happens, then the result");
                 return [flags, &common] { return Replay(*flags, common); };
               }});

}  // namespace
}  // namespace everlearn
