// everlearn evaluate: every measure that fits the task, on rows whose target is known.
//
// Rows without a target are left out and counted. A label that the model does not know is an error: no measure of probabilities is defined
// there, and to leave such rows out would flatter the model.
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "cli/scoring.h"
#include "cli/terminal.h"
#include "evaluation/metric.h"

namespace everlearn {
namespace {

struct EvaluateFlags {
  std::string model, source;
};

struct Evaluated {
  std::vector<double> truth, predictions, weights;
  size_t without_target = 0;
};

// Appends the rows of a batch that can be measured.
void AddBatch(const ScoringStream& stream, const ModelFile& model, Evaluated* all) {
  const std::string& source = stream.source();
  const Task& task = model.task;
  const Column& target = stream.typed().Get(task.target, source);
  const std::vector<double> truth = TargetValues(stream.raw(), model.schema, task, source, true);
  const Column* weight = task.weight.empty() ? nullptr : &stream.typed().Get(task.weight, source);
  const size_t outputs = task.outputs();
  const auto place = [&](size_t i) { return source + ", row " + std::to_string(stream.rows_before() + i + 1); };
  for (size_t i = 0; i < truth.size(); ++i) {
    if (target.missing(i)) {
      ++all->without_target;
      continue;
    }
    if (std::isnan(truth[i]))
      throw Error(ErrorKind::kInput, place(i) + ": the model does not know the value '" + target.TextAt(i) + "' of '" + task.target + "'",
                  "leave such rows out with a query, or fit a model that knows them");
    if (weight != nullptr && !(weight->numbers[i] >= 0))
      throw Error(ErrorKind::kInput, place(i) + ": the weight '" + task.weight + "' is not a number ≥ 0");
    all->truth.push_back(truth[i]);
    all->predictions.insert(all->predictions.end(), &stream.predictions()[i * outputs], &stream.predictions()[(i + 1) * outputs]);
    if (weight != nullptr) all->weights.push_back(weight->numbers[i]);
  }
}

int Evaluate(const EvaluateFlags& flags, const CommonOptions& options) {
  const ModelFile model = ModelFile::Load(flags.model);
  const Task& task = model.task;
  std::vector<std::string> roles{task.target};
  if (!task.weight.empty()) roles.push_back(task.weight);
  ScoringStream stream(model, flags.source, roles, options);
  for (const std::string& message : stream.warnings()) Warn(options, message);
  Evaluated all;
  while (stream.Next()) AddBatch(stream, model, &all);
  if (all.truth.empty()) throw Error(ErrorKind::kInput, stream.source() + ": no row has a value of '" + task.target + "'");

  const JsonObject measures = AllMeasures({all.truth, all.predictions, task.labels.size(), all.weights, task.decision}, task.kind);
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
