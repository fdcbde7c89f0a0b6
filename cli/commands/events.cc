// everlearn events: what happened in the life of a task, from its ledger.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/terminal.h"
#include "ledger/ledger.h"

namespace everlearn {
namespace {

int ShowEvents(const std::string& path, const CommonOptions& options) {
  const auto ledger = OpenLedger(path, {.read_only = true});
  JsonArray events;
  for (const LedgerNotice& notice : ledger->Notices()) events.push_back(ParseJson(notice.body, "a stored event"));
  if (options.json) {
    PrintDocument(JsonObject{{"events", events}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"row", "time", "kind", "member", "decision"}};
  for (const Json& event : events) {
    const Json* decision = event.as_object().if_contains("decision");
    rows.push_back({CellText(Field(event, "row")), CellText(Field(event, "time")), TextField(event, "kind"),
                    CellText(Field(event, "member")), decision == nullptr ? "" : CellText(*decision)});
  }
  PrintText(AlignedTable(rows));
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("events", {.order = 50,
                              .summary = "list what happened: retrainings, promotions, roll backs, failures",
                              .example = "everlearn events flights.db",
                              .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                auto path = std::make_shared<std::string>();
                                app.add_option("LEDGER", *path, "the ledger's file")->required()->type_name("");
                                return [path, &options] { return ShowEvents(*path, options); };
                              }});

}  // namespace
}  // namespace everlearn
