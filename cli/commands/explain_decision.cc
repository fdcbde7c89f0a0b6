// everlearn explain-decision: the numbers behind a change of champion, recomputed from the ledger.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/terminal.h"
#include "loop/records.h"

namespace everlearn {
namespace {

void PrintDecision(const Json& d) {
  const std::string kind = TextField(d, "kind");
  const Json& gain = Field(d, "gain");
  std::string text = fmt::format("decision {}: {}, at row {}\n\n", CellText(Field(d, "decision")), kind, CellText(Field(d, "row")));
  text += AlignedTable({{"", ""},
                        {"served before", CellText(Field(d, "champion"))},
                        {"serves since", CellText(Field(d, "challenger"))},
                        {"loss compared", CellText(Field(d, "compared_loss"))},
                        {"pair number", CellText(Field(d, "pair"))},
                        {"evidence", CellText(Field(d, "evidence"))},
                        {"needed (1/alpha)", Field(d, "alpha").is_null() ? "-" : Figure(1.0 / NumberField(d, "alpha"))},
                        {"rows compared", CellText(Field(d, "rows"))},
                        {"mean gain a row", CellText(Field(gain, "value"))},
                        {"95% interval", CellText(Field(gain, "lower")) + " … " + CellText(Field(gain, "upper"))},
                        {"recent gain", CellText(Field(d, "recent_gain"))}});
  text += Field(d, "recomputed_equal").as_bool() ? "\nRecomputed from the stored predictions and outcomes: equal.\n"
                                                 : "\nRecomputed from the stored predictions and outcomes: NOT EQUAL.\n";
  PrintText(text);
}

int Explain(const std::string& path, int64_t number, const CommonOptions& options) {
  const auto ledger = OpenLedger(path, {.read_only = true});
  const JsonObject decision = ExplainDecision(*ledger, number);
  if (options.json) PrintDocument(decision);
  else PrintDecision(decision);
  return decision.at("recomputed_equal").as_bool() ? 0 : 1;
}

[[maybe_unused]] const bool registered =
    Commands().Add("explain-decision", {.order = 55,
                                        .summary = "show the evidence behind a change of champion, and recompute it from the ledger",
                                        .example = "everlearn explain-decision flights.db 3",
                                        .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                          auto path = std::make_shared<std::string>();
                                          auto number = std::make_shared<int64_t>(0);
                                          app.add_option("LEDGER", *path, "the ledger's file")->required()->type_name("");
                                          app.add_option("N", *number, "number of the decision")->required()->type_name("");
                                          return [path, number, &options] { return Explain(*path, *number, options); };
                                        }});

}  // namespace
}  // namespace everlearn
