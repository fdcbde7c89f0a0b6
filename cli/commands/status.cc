// everlearn status: how a task stands, from a service or a ledger.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command.h"
#include "cli/service_target.h"
#include "cli/terminal.h"
#include "loop/records.h"

namespace everlearn {
namespace {

// A service may say less than a ledger, or more.
const JsonArray& Elements(const Json& status, std::string_view name) {
  static const JsonArray none;
  const Json& list = FieldOrNull(status, name);
  return list.is_array() ? list.get_array() : none;
}

std::string IntervalText(const Json& interval) { return CellOf(interval, "lower") + " … " + CellOf(interval, "upper"); }

std::string MembersText(const Json& status, const std::string& metric) {
  std::vector<std::vector<std::string>> rows{{"member", "role", metric, "mean loss, 95% interval", "rows"}};
  const auto add = [&](const std::string& name, const std::string& role, const Json& score) {
    rows.push_back({name, role, CellOf(score, "value"), IntervalText(FieldOrNull(score, "loss")), CellOf(score, "rows")});
  };
  add("served", "", FieldOrNull(status, "served"));
  for (const Json& member : Elements(status, "members")) add(CellOf(member, "name"), CellOf(member, "role"), member);
  return AlignedTable(rows);
}

std::string TestsText(const Json& status) {
  const JsonArray& tests = Elements(status, "tests");
  if (tests.empty()) return "";
  std::vector<std::vector<std::string>> rows{{"challenger", "pair", "evidence", "needed", "rows compared"}};
  for (const Json& test : tests) {
    const bool open = FieldOrNull(test, "evidence").is_number();
    rows.push_back({CellOf(test, "challenger"), open ? CellOf(test, "pair") : "screened", open ? CellOf(test, "evidence") : "-",
                    open ? Figure(1.0 / NumberField(test, "alpha")) : "-", CellOf(test, open ? "rows" : "screened")});
  }
  return "\n" + AlignedTable(rows);
}

std::string GainText(const Json& status) {
  const Json& gain = FieldOrNull(status, "gain_since_day_one");
  if (!FieldOrNull(gain, "value").is_number()) return "";
  return fmt::format("\ngain over the model of day one: {} (95%: {}), {} rows\n", CellOf(gain, "value"), IntervalText(gain),
                     CellOf(gain, "rows"));
}

std::string DriftText(const Json& status) {
  constexpr size_t kMost = 5;
  std::vector<std::vector<std::string>> rows{{"column", "drifting", "effect on the loss", "p", "psi", "jensen_shannon"}};
  for (const Json& column : Elements(status, "drift")) {
    if (rows.size() > kMost) break;
    const bool drifting = FieldOrNull(column, "drifting") == Json(true);
    rows.push_back({CellOf(column, "column"), drifting ? "yes" : "", CellOf(column, "effect"), CellOf(column, "p"), CellOf(column, "psi"),
                    CellOf(column, "jensen_shannon")});
  }
  return rows.size() == 1 ? "" : "\n" + AlignedTable(rows);
}

// What a service adds: one line for each figure, or each object of figures.
std::string FurtherText(const Json& status) {
  static constexpr std::string_view kShown[] = {"task",      "rows",  "predictions",       "outcomes", "waiting",  "time",   "champion",
                                                "served",    "name",  "members",           "tests",    "finished", "paused", "suggested",
                                                "decisions", "pairs", "gain_since_day_one"};
  std::string text;
  for (const auto& [name, value] : status.get_object()) {
    if (value.is_array() || value.is_null() || std::find(std::begin(kShown), std::end(kShown), std::string_view(name)) != std::end(kShown))
      continue;
    std::string line;
    if (!value.is_object()) line = CellText(value);
    else
      for (const auto& [part, figure] : value.get_object())
        if (!figure.is_structured() && !figure.is_null()) line += (line.empty() ? "" : ", ") + std::string(part) + " " + CellText(figure);
    if (!line.empty()) text += "\n" + std::string(name) + ": " + line;
  }
  return text.empty() ? "" : text + "\n";
}

void PrintStatus(const Json& status) {
  const auto is = [&](std::string_view name) {
    const Json& flag = FieldOrNull(status, name);
    return flag.is_bool() && flag.get_bool();
  };
  const Json& task = FieldOrNull(status, "task");
  const std::string metric = CellOf(task, "metric"), suggested = CellOf(status, "suggested");
  std::string text =
      fmt::format("predicts {} ({}), metric {}\nchampion: {}\nrows {}, predictions {}, outcomes {}, waiting {}; newest time {}\n\n",
                  CellOf(task, "target"), CellOf(task, "kind"), metric, CellOf(status, "champion"), CellOf(status, "rows"),
                  CellOf(status, "predictions"), CellOf(status, "outcomes"), CellOf(status, "waiting"), CellOf(status, "time"));
  text += MembersText(status, metric) + TestsText(status) + DriftText(status) + GainText(status) + FurtherText(status);
  if (is("paused")) text += "\nPaused by a person: no trainings, no decisions.\n";
  if (!suggested.empty()) text += "\nWaits for a person: the promotion of " + suggested + " (everlearn promote).\n";
  if (is("finished")) text += "\nThe replay came to its end.\n";
  for (const Json& warning : Elements(status, "warnings")) text += "\nwarning: " + CellText(warning) + "\n";
  PrintText(text);
}

Json StatusOf(const TargetFlags& target) {
  if (IsUrl(target.place)) return ServedTask(target).Get("");
  const auto ledger = OpenTarget(target);
  const auto state = StateOf(*ledger);
  JsonObject status = StatusJson(*state, TaskOf(*ledger), MetricValues(*ledger, *state));
  status["finished"] = ledger->Fact(kFinishedFact).has_value();
  return status;
}

int ShowStatus(const TargetFlags& target, const CommonOptions& options) {
  const Json status = StatusOf(target);
  if (options.json) PrintDocument(status);
  else if (status.is_object()) PrintStatus(status);
  else throw Error(ErrorKind::kInput, "the service's answer is no status of a task");
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("status", {.order = 45,
                              .summary = "show how a task stands: champion, members with their scores, open tests",
                              .example = "everlearn status flights.db; everlearn status http://127.0.0.1:8080 --task late",
                              .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                auto target = std::make_shared<TargetFlags>();
                                AddTargetFlags(app, "URL|LEDGER", target.get());
                                return [target, &options] { return ShowStatus(*target, options); };
                              }});

}  // namespace
}  // namespace everlearn
