// everlearn detectors: the drift detectors that there are.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/terminal.h"
#include "drift/drift_detector.h"

namespace everlearn {
namespace {

int ShowDetectors(const CommonOptions& options) {
  std::vector<std::vector<std::string>> rows{{"name", "watches", "rows between false alarms", "what it notices"}};
  JsonArray list;
  for (const std::string& name : Detectors().Names()) {
    const DetectorInfo& info = Detectors().Get(name);
    rows.push_back(
        {name, info.errors_only ? "right and wrong" : "any number", Grouped(static_cast<size_t>(info.false_alarm_rows)), info.summary});
    list.push_back(JsonObject{{"name", name},
                              {"summary", info.summary},
                              {"paper", info.paper},
                              {"errors_only", info.errors_only},
                              {"false_alarm_rows", info.false_alarm_rows}});
  }
  if (options.json) PrintDocument(JsonObject{{"detectors", list}});
  else PrintText(AlignedTable(rows));
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("detectors", {.order = 72,
                                 .summary = "list the drift detectors that replay can set on its errors",
                                 .example = "everlearn detectors\n  everlearn replay stream.csv --target y --detectors adwin,e_detector",
                                 .setup = [](CLI::App&, const CommonOptions& options) -> std::function<int()> {
                                   return [&options] { return ShowDetectors(options); };
                                 }});

}  // namespace
}  // namespace everlearn
