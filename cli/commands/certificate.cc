// everlearn certificate: what a task's served predictions gained over the model of day one, recomputed from the ledger.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "cli/command.h"
#include "cli/service_target.h"
#include "cli/terminal.h"
#include "data/postgres.h"
#include "loop/certificate.h"

namespace everlearn {
namespace {

std::string Verdict(const Json& certificate) {
  const Json& gain = Field(certificate, "gain");
  const Json &lower = Field(gain, "lower"), &upper = Field(gain, "upper");
  if (Field(certificate, "day_one").is_null())
    return "It proves nothing about a gain: the task began without history, so there is no model of day one.\n";
  if (lower.is_double() && lower.get_double() > 0 && std::isfinite(lower.get_double()))
    return "It proves a gain: what was served lost less a row than the model of day one would have.\n";
  if (upper.is_double() && upper.get_double() < 0 && std::isfinite(upper.get_double()))
    return "It proves harm: what was served lost more a row than the model of day one would have.\n";
  return "It proves no gain and no harm: the interval contains 0.\n";
}

void PrintCertificate(const std::string& place, const Json& c) {
  const Json &gain = Field(c, "gain"), &day_one = Field(c, "day_one"), &task = Field(c, "task");
  const auto count = [&](const char* name) { return Grouped(Field(c, name).to_number<uint64_t>()); };
  std::string text = fmt::format("Certificate of {}: {} ({}), metric {}\n\n", place, TextField(task, "target"), TextField(task, "kind"),
                                 TextField(c, "metric"));
  text += AlignedTable({{"", ""},
                        {"gain a row, " + TextField(c, "compared_loss"), CellOf(gain, "value")},
                        {"95% confidence sequence", CellOf(gain, "lower") + " … " + CellOf(gain, "upper")},
                        {"rows compared", count("rows")},
                        {"scored since", CellOf(c, "since")},
                        {"model of day one", day_one.is_null() ? "none" : CellOf(day_one, "name") + ", " + CellOf(day_one, "hash")},
                        {"champion now", CellOf(c, "champion")},
                        {"predictions, outcomes", count("predictions") + ", " + count("outcomes")},
                        {"decisions, events", count("decisions") + ", " + count("events")},
                        {"hash chain", TextField(c, "chain")}});
  text += "\n" + Verdict(c);
  text += Field(c, "recomputed_equal").as_bool() ? "All decisions were recomputed from the stored predictions and outcomes: equal.\n"
                                                 : "Decisions were recomputed from the stored predictions and outcomes: NOT EQUAL.\n";
  text +=
      "\nThe gain is the mean loss of the model of day one minus that of what was served, on the same rows; positive is better. The "
      "interval\n"
      "holds at all times together, however often one looks, but for 1 case in 20 (asymptotically: it needs many rows). It is about the "
      "rows\n"
      "whose outcome arrived or whose silence has a meaning, and about the past: neither about rows without an outcome nor about "
      "tomorrow.\n"
      "The chain shows a change of stored events to whoever noted its end before; it does not show whether the outcomes sent were true.\n";
  PrintText(text);
}

int Certify(const TargetFlags& target, const CommonOptions& options) {
  const JsonObject certificate = CertificateJson(*OpenTarget(target));
  if (options.json) PrintDocument(certificate);
  else PrintCertificate(ShownPlace(target.place), certificate);
  return certificate.at("recomputed_equal").as_bool() ? 0 : 1;
}

[[maybe_unused]] const bool registered =
    Commands().Add("certificate", {.order = 60,
                                   .summary = "show what was gained over the model of day one, recomputed from the ledger",
                                   .example = "everlearn certificate flights.db",
                                   .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                     auto target = std::make_shared<TargetFlags>();
                                     AddTargetFlags(app, "LEDGER", target.get());
                                     return [target, &options] { return Certify(*target, options); };
                                   }});

}  // namespace
}  // namespace everlearn
