// everlearn events: what happened in the life of a task, from a service or a ledger.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/service_target.h"
#include "cli/terminal.h"

namespace everlearn {
namespace {

JsonArray EventsOf(const TargetFlags& target) {
  if (IsUrl(target.place)) return ServedTask(target).GetAll("events");
  JsonArray events;
  for (const LedgerNotice& notice : OpenTarget(target)->Notices()) events.push_back(ParseJson(notice.body, "a stored event"));
  return events;
}

int ShowEvents(const TargetFlags& target, const CommonOptions& options) {
  const JsonArray events = EventsOf(target);
  if (options.json) {
    PrintDocument(JsonObject{{"events", events}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"row", "time", "kind", "member", "decision"}};
  for (const Json& event : events) {
    rows.emplace_back();
    for (const std::string& name : std::vector(rows.front())) rows.back().push_back(CellOf(event, name));
  }
  PrintText(AlignedTable(rows));
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("events", {.order = 50,
                              .summary = "list what happened: retrainings, promotions, roll backs, failures",
                              .example = "everlearn events flights.db",
                              .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                auto target = std::make_shared<TargetFlags>();
                                AddTargetFlags(app, "URL|LEDGER", target.get());
                                return [target, &options] { return ShowEvents(*target, options); };
                              }});

}  // namespace
}  // namespace everlearn
