// everlearn status: how a task stands, from its ledger.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/terminal.h"
#include "loop/records.h"

namespace everlearn {
namespace {

void PrintStatus(const Json& status) {
  const Json& task = Field(status, "task");
  std::string text =
      fmt::format("predicts {} ({}), metric {}\nchampion: {}\nrows {}, predictions {}, outcomes {}, waiting {}; newest time {}\n\n",
                  TextField(task, "target"), TextField(task, "kind"), TextField(task, "metric"), CellText(Field(status, "champion")),
                  CellText(Field(status, "rows")), CellText(Field(status, "predictions")), CellText(Field(status, "outcomes")),
                  CellText(Field(status, "waiting")), CellText(Field(status, "time")));
  std::vector<std::vector<std::string>> rows{{"member", "role", TextField(task, "metric"), "mean loss, 95% interval", "rows"}};
  const auto add = [&](const std::string& name, const std::string& role, const Json& score) {
    const Json& loss = Field(score, "loss");
    rows.push_back({name, role, CellText(Field(score, "value")), CellText(Field(loss, "lower")) + " … " + CellText(Field(loss, "upper")),
                    CellText(Field(score, "rows"))});
  };
  add("served", "", Field(status, "served"));
  for (const Json& member : ArrayField(status, "members")) add(TextField(member, "name"), TextField(member, "role"), member);
  text += AlignedTable(rows);
  const JsonArray& tests = ArrayField(status, "tests");
  if (!tests.empty()) {
    rows = {{"challenger", "pair", "evidence", "needed", "rows compared"}};
    for (const Json& test : tests) {
      const bool open = test.as_object().contains("evidence");
      rows.push_back({TextField(test, "challenger"), open ? CellText(Field(test, "pair")) : "screened",
                      open ? CellText(Field(test, "evidence")) : "-", open ? Figure(1.0 / NumberField(test, "alpha")) : "-",
                      CellText(Field(test, open ? "rows" : "screened"))});
    }
    text += "\n" + AlignedTable(rows);
  }
  text += Field(status, "finished").as_bool() ? "\nThe replay came to its end.\n" : "";
  for (const Json& warning : ArrayField(status, "warnings")) text += "\nwarning: " + CellText(warning) + "\n";
  PrintText(text);
}

int ShowStatus(const std::string& path, const CommonOptions& options) {
  const auto ledger = OpenLedger(path, {.read_only = true});
  const Task task = TaskOf(*ledger);
  const auto state = StateOf(*ledger);
  JsonObject status = StatusJson(*state, task, MetricValues(*ledger, *state));
  status["finished"] = ledger->Fact(kFinishedFact).has_value();
  if (options.json) PrintDocument(status);
  else PrintStatus(status);
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("status", {.order = 45,
                              .summary = "show how a task stands: champion, members with their scores, open tests",
                              .example = "everlearn status flights.db",
                              .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                auto path = std::make_shared<std::string>();
                                app.add_option("LEDGER", *path, "the ledger's file")->required()->type_name("");
                                return [path, &options] { return ShowStatus(*path, options); };
                              }});

}  // namespace
}  // namespace everlearn
