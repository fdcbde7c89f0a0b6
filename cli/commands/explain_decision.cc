// everlearn explain-decision: the numbers behind a change of champion, recomputed from the ledger (by the service, where one is asked).
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/service_target.h"
#include "cli/terminal.h"
#include "loop/records.h"

namespace everlearn {
namespace {

void PrintDecision(const Json& d) {
  const Json& gain = FieldOrNull(d, "gain");
  const Json& alpha = FieldOrNull(d, "alpha");
  std::string text = fmt::format("decision {}: {}, at row {}\n\n", CellOf(d, "decision"), CellOf(d, "kind"), CellOf(d, "row"));
  text += AlignedTable({{"", ""},
                        {"served before", CellOf(d, "champion")},
                        {"serves since", CellOf(d, "challenger")},
                        {"loss compared", CellOf(d, "compared_loss")},
                        {"pair number", CellOf(d, "pair")},
                        {"evidence", CellOf(d, "evidence")},
                        {"needed (1/alpha)", alpha.is_number() ? Figure(1.0 / alpha.to_number<double>()) : "-"},
                        {"rows compared", CellOf(d, "rows")},
                        {"mean gain a row", CellOf(gain, "value")},
                        {"95% interval", CellOf(gain, "lower") + " … " + CellOf(gain, "upper")},
                        {"recent gain", CellOf(d, "recent_gain")}});
  if (const Json& equal = FieldOrNull(d, "recomputed_equal"); equal.is_bool())
    text += fmt::format("\nRecomputed from the stored predictions and outcomes: {}.\n", equal.get_bool() ? "equal" : "NOT EQUAL");
  PrintText(text);
}

int Explain(const TargetFlags& target, int64_t number, const CommonOptions& options) {
  const Json decision = IsUrl(target.place) ? ServedTask(target).Get("/decisions/" + std::to_string(number))
                                            : Json(ExplainDecision(*OpenTarget(target), number));
  if (options.json) PrintDocument(decision);
  else PrintDecision(decision);
  const Json& equal = FieldOrNull(decision, "recomputed_equal");
  return equal.is_bool() && !equal.get_bool() ? 1 : 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("explain-decision", {.order = 55,
                                        .summary = "show the evidence behind a change of champion, and recompute it from the ledger",
                                        .example = "everlearn explain-decision flights.db 3",
                                        .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                          auto target = std::make_shared<TargetFlags>();
                                          auto number = std::make_shared<int64_t>(0);
                                          AddTargetFlags(app, "URL|LEDGER", target.get());
                                          app.add_option("N", *number, "number of the decision")->required()->type_name("");
                                          return [target, number, &options] { return Explain(*target, *number, options); };
                                        }});

}  // namespace
}  // namespace everlearn
