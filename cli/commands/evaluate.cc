// everlearn evaluate: every measure that fits the task, on rows whose target is known.
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "cli/evaluated_rows.h"
#include "cli/terminal.h"

namespace everlearn {
namespace {

struct EvaluateFlags {
  std::string model, source;
};

int Evaluate(const EvaluateFlags& flags, const CommonOptions& options) {
  const ModelFile model = ModelFile::Load(flags.model);
  const Task& task = model.task;
  const EvaluatedRows all = EvaluateRows(model, flags.source, options);
  const JsonObject measures = AllMeasures(all.Scores(task), task.kind);
  if (all.without_target > 0) Warn(options, Grouped(all.without_target) + " rows have no '" + task.target + "' and are left out");
  if (options.json) {
    PrintDocument(JsonObject{{"rows", all.truth.size()}, {"measures", measures}, {"rows_without_target", all.without_target}});
    return 0;
  }
  std::vector<std::vector<std::string>> table{{"measure", "value"}};
  for (const auto& [name, value] : measures)
    table.push_back({std::string(name), Figure(value.is_double() ? value.get_double() : kMissing)});
  PrintText(Grouped(all.truth.size()) + " rows\n\n" + AlignedTable(table));
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("evaluate", {.order = 30,
                                .summary = "measure a model on rows whose target is known",
                                .example = "everlearn evaluate loans.safetensors march.csv",
                                .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                  auto flags = std::make_shared<EvaluateFlags>();
                                  app.add_option("MODEL", flags->model, "model file")->required()->type_name("");
                                  app.add_option("SOURCE", flags->source,
                                                 "file, pattern, SQL, postgresql://… with --query, or - for CSV on standard input")
                                      ->required()
                                      ->type_name("");
                                  return [flags, &options] { return Evaluate(*flags, options); };
                                }});

}  // namespace
}  // namespace everlearn
