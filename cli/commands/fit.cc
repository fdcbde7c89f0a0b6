// everlearn fit: one table → one model file.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/resources.h"
#include "cli/class_weights.h"
#include "cli/command.h"
#include "cli/decision_flags.h"
#include "cli/evaluated_rows.h"
#include "cli/fit_diagnostics.h"
#include "cli/interrupt.h"
#include "cli/search_flags.h"
#include "cli/task_flags.h"
#include "cli/terminal.h"
#include "cli/training_checks.h"
#include "cli/training_data.h"
#include "model/model_file.h"
#include "search/finishing.h"

namespace everlearn {
namespace {

constexpr int kInterruptedStatus = 130;

struct FitFlags {
  std::string source;
  std::string model = "model.safetensors";
  std::string test;
  bool strict = false;
  TaskFlags task;
  SearchFlags search;
  std::vector<std::string> costs;
  double coverage = 0;  // 0: not given
};

// A model that cannot be written is found out before it is fitted.
void CheckWritable(const std::string& path) {
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path))
    throw Error(ErrorKind::kInput, "the model cannot be written to " + path + ": that is not a file", "change --model");
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!std::filesystem::is_directory(folder))
    throw Error(ErrorKind::kNotFound, "the model cannot be written to " + path + ": there is no folder " + folder.string(),
                "create the folder or change --model");
  if (access(folder.c_str(), W_OK) != 0)
    throw Error(ErrorKind::kPermission, "the model cannot be written to " + path + ": the folder is not writable", "change --model");
}

JsonObject Score(const SearchedModel& result) {
  const LeaderboardRow& best = result.board.rows[result.best];
  return {{"metric", result.board.metric}, {"value", best.value}, {"standard_error", best.standard_error}};
}

JsonObject DescribeTask(const TrainingData& training) {
  return {{"target", training.task.target}, {"kind", TaskKindName(training.task.kind)},
          {"metric", training.task.metric}, {"rows", training.data->rows()},
          {"columns", training.columns},    {"folds", training.folds.size()},
          {"features", training.features}};
}

// For people; without times, so that equal runs give equal files.
Json Notes(const TrainingData& training, const SearchedModel& result, const CommonOptions& options) {
  const LeaderboardRow& best = result.board.rows[result.best];
  JsonObject notes = result.notes;
  notes["program"] = "everlearn " EVERLEARN_VERSION;
  notes["learner"] = best.learner;
  notes["parameters"] = best.parameters;
  notes["score"] = Score(result);
  notes["rows"] = training.data->rows();
  notes["folds"] = training.folds.size();
  notes["seed"] = options.seed;
  return notes;
}

JsonArray DescribeWarnings(const std::vector<SchemaWarning>& warnings) {
  JsonArray list;
  for (const SchemaWarning& warning : warnings) {
    list.push_back(JsonObject{{"code", warning.code}, {"message", warning.message}, {"column", nullptr}});
    if (!warning.column.empty()) list.back().as_object()["column"] = warning.column;
  }
  return list;
}

std::string BoardText(const Leaderboard& board) {
  std::vector<std::vector<std::string>> rows{{"model", board.metric, "± s.e.", "fit s", "status"}};
  for (const LeaderboardRow& row : board.rows) {
    std::string status(TrialStatusName(row.status));
    if (!row.reason.empty()) status += ": " + row.reason;
    rows.push_back({row.name, Figure(row.value), Figure(row.standard_error), fmt::format("{:.2f}", row.fit_seconds), status});
  }
  return AlignedTable(rows);
}

TrainingData ReadChecked(const FitFlags& flags, const CommonOptions& options, const Stopwatch& watch) {
  // Of the time: the rows are still to be typed, checked and encoded, and then learned from.
  constexpr double kReading = 0.15;
  TaskFlags task = flags.task;
  if (const double seconds = BudgetSeconds(flags.search); seconds > 0)
    task.read_enough = [&watch, seconds] { return watch.Seconds() > kReading * seconds; };
  task.default_folds = DefaultFolds(flags.search);
  task.content_folds = HasBudget(flags.search);
  TrainingData training = ReadTrainingData(flags.source, task, options);
  if (!flags.test.empty())
    for (SchemaWarning& warning : CheckTestRows(flags.test, training, options)) training.warnings.push_back(std::move(warning));
  if (flags.strict) RefuseLeaks(training.warnings);
  if (!options.json) {
    for (const SchemaWarning& warning : training.warnings) Warn(options, warning.message);
  }
  return training;
}

// The metric on the rows of --test; NaN without them.
double TestValue(const FitFlags& flags, const ModelFile& file, const CommonOptions& options) {
  if (flags.test.empty()) return kMissing;
  return Metrics().Get(file.task.metric).compute(EvaluateRows(file, flags.test, options).Scores(file.task));
}

void PrintReport(const TrainingData& training, const SearchedModel& result, const Diagnosis& diagnosis, const FitFlags& flags,
                 double seconds) {
  const Task& task = training.task;
  std::string text = fmt::format("{}: {}, {} rows, {} features, {} folds\n\n{}\n", task.target, TaskKindName(task.kind),
                                 Grouped(training.data->rows()), training.space.size(), training.folds.size(), BoardText(result.board));
  for (const std::string& remark : diagnosis.remarks) text += remark + "\n";
  text += fmt::format("{} is in {} ({:.1f} s)\n", result.board.rows[result.best].name, flags.model, seconds);
  PrintText(text);
}

int Fit(const FitFlags& flags, const CommonOptions& options) {
  const Stopwatch watch;
  CheckTaskFlags(flags.task);
  CheckClassWeights(flags.task.class_weights);
  CheckSearchFlags(flags.search);
  CheckCosts(flags.costs);
  CheckWritable(flags.model);
  TrainingData training = ReadChecked(flags, options, watch);
  const std::vector<double> costs = CostDecision(flags.costs, training.task);

  const GracefulInterrupt graceful;
  SearchedModel result = SearchModel(&training, flags.task, flags.search, flags.source, options, watch);
  const size_t said = training.warnings.size();
  std::move(result.warnings.begin(), result.warnings.end(), std::back_inserter(training.warnings));
  const double budget = BudgetSeconds(flags.search);
  const auto late = [&] { return budget > 0 && watch.Seconds() > budget; };
  Finished finished = Finish(result.model, training.task, training.data->target(), std::move(result.predictions), training.data->weights(),
                             {costs, flags.coverage, true, options.seed, late});
  training.task.decision = finished.decision;
  for (const auto& [name, value] : finished.report) result.notes[name] = value;
  ModelFile file{training.task,     training.schema, training.space, finished.model, Notes(training, result, options), "", "",
                 finished.intervals};
  file.Save(flags.model);
  if (std::isnan(result.board.rows[result.best].value) && !training.folds.empty() && !Interrupted())
    training.warnings.push_back({"metric",
                                 "the metric " + training.task.metric +
                                     " is not defined on any fold, so that no model could be compared; the model is " +
                                     result.board.rows[result.best].name,
                                 ""});
  if (Interrupted()) training.warnings.push_back({"interrupted", "the search was interrupted; the model is the best so far", ""});
  for (size_t i = said; i < training.warnings.size() && !options.json; ++i) Warn(options, training.warnings[i].message);
  const Diagnosis diagnosis = Diagnose(result, TestValue(flags, file, options));
  if (options.json) {
    JsonObject document{{"model", flags.model},
                        {"seconds", watch.Seconds()},
                        {"peak_memory_bytes", std::max(result.peak_memory_bytes, PeakMemoryBytes())},
                        {"task", DescribeTask(training)},
                        {"score", Score(result)},
                        {"diagnostics", diagnosis.figures},
                        {"leaderboard", ToJson(result.board)},
                        {"warnings", DescribeWarnings(training.warnings)}};
    for (auto& [name, value] : finished.report) document[name] = std::move(value);
    PrintDocument(document);
  } else if (!options.quiet) {
    PrintReport(training, result, diagnosis, flags, watch.Seconds());
  }
  return Interrupted() ? kInterruptedStatus : 0;
}

[[maybe_unused]] const bool registered = Commands().Add(
    "fit", {.order = 10,
            .summary = "fit a model to a table",
            .example = "everlearn fit loans.csv --target default --model loans.safetensors",
            .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
              auto flags = std::make_shared<FitFlags>();
              app.add_option("SOURCE", flags->source, "file, pattern, SQL, postgresql://… with --query, or - for CSV on standard input")
                  ->required()
                  ->type_name("");
              app.add_option("--model", flags->model, "file to write (default: model.safetensors)")->type_name("FILE");
              app.add_option("--test", flags->test, "rows to measure the model on at the end; warns where they are training rows")
                  ->type_name("SOURCE");
              app.add_flag("--strict", flags->strict, "a warning of a leak (a column that gives the target away) is a failure");
              AddTaskFlags(app, &flags->task);
              AddClassWeightFlag(app, &flags->task.class_weights);
              AddSearchFlags(app, &flags->search);
              AddCostFlag(app, &flags->costs);
              AddCoverageFlag(app, &flags->coverage, "predictions get lower and upper, or labels, that hold the truth with this chance");
              return [flags, &options] { return Fit(*flags, options); };
            }});

}  // namespace
}  // namespace everlearn
