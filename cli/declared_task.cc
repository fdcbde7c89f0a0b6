#include "cli/declared_task.h"

#include <algorithm>

#include "base/error.h"
#include "base/timestamp.h"
#include "cli/event_rows.h"

namespace everlearn {
namespace {

Task DeclaredTask(const std::string& name, const TaskFlags& flags, const std::vector<std::string>& labels) {
  const TaskOptions& wanted = flags.task;
  Task task{.target = wanted.target, .time = wanted.time, .key = wanted.key, .ignore = wanted.ignore};
  if (wanted.kind.empty())
    throw Error(ErrorKind::kUsage, "the task '" + name + "' has no data to tell its kind", "say --kind binary, multiclass or regression");
  task.kind = ParseTaskKind(wanted.kind);
  task.metric = !wanted.metric.empty() ? wanted.metric : task.is_classification() ? "log_loss" : "rmse";
  if (!task.is_classification()) {
    if (!labels.empty()) throw Error(ErrorKind::kUsage, "--labels are of classes, and the task '" + name + "' is of regression");
    return task;
  }
  task.labels = labels;
  std::sort(task.labels.begin(), task.labels.end());
  const bool twice = std::adjacent_find(task.labels.begin(), task.labels.end()) != task.labels.end();
  const bool enough = task.kind == TaskKind::kBinary ? labels.size() == 2 : labels.size() >= 2;
  if (twice || !enough)
    throw Error(
        ErrorKind::kUsage,
        "the task '" + name + "' has no data to tell its classes, and --labels names " +
            (twice ? "one twice" : std::to_string(labels.size())),
        task.kind == TaskKind::kBinary ? "name the two, such as --labels no,yes" : "name them all, such as --labels red,green,blue");
  return task;
}

}  // namespace

TaskFrame DeclareTask(const std::string& name, const TaskFlags& flags, const std::vector<std::string>& labels, const LoopFlags& loop,
                      LoopOptions* options) {
  const auto types = ToInferOptions(flags, "").types;
  if (types.empty())
    throw Error(ErrorKind::kUsage, "the task '" + name + "' has no data to begin with, and its columns are not declared",
                "name its past with --data, or each of its columns with --type COL=TYPE");
  TaskFrame frame;
  frame.task = DeclaredTask(name, flags, labels);
  Table example;  // one row, for the parts that a column has
  example.rows = 1;
  for (const auto& [column, type] : types) {
    frame.schema.columns.push_back({.name = column, .type = type, .kind = std::string(ColumnTypeName(type))});
    Column& value = example.columns.emplace_back(Column{.name = column, .type = type});
    if (type == ColumnType::kCategory) value.codes = {kMissingCode};
    else if (type == ColumnType::kText) value.text.AppendMissing();
    else value.numbers = {static_cast<double>(kMicrosecondsPerDay) / 2};  // a timestamp has a time of day
  }
  std::vector<std::string> needed = frame.task.key;
  for (const std::string& column : {frame.task.time, loop.outcome_time})
    if (!column.empty()) needed.push_back(column);
  for (const std::string& column : needed)
    if (frame.schema.Find(column) == nullptr)
      throw Error(ErrorKind::kUsage, "the task '" + name + "' does not declare its column '" + column + "'",
                  "add --type " + column + "=TYPE");
  if (!frame.task.time.empty() && frame.schema.Find(frame.task.time)->type != ColumnType::kTimestamp)
    frame.task.ignore.push_back(frame.task.time);  // the clock itself is no feature
  if (!loop.outcome_time.empty()) frame.task.ignore.push_back(loop.outcome_time);
  if (frame.schema.Find(frame.task.target) == nullptr) {
    const ColumnType type = frame.task.is_classification() ? ColumnType::kCategory : ColumnType::kNumber;
    frame.schema.columns.push_back({.name = frame.task.target, .type = type, .kind = std::string(ColumnTypeName(type))});
    example.columns.push_back(Column{.name = frame.task.target, .type = type, .numbers = {0}, .codes = {kMissingCode}});
  }
  CheckMetric(frame.task);
  frame.space = FeatureSpace::Build(example, frame.schema, frame.task, false, kTextNumbersOfStream);
  if (frame.space.size() == 0) throw Error(ErrorKind::kUsage, "the task '" + name + "' declares no column that it could learn from");
  SetMissingOutcome(loop.missing_outcome, frame.task, options);
  if (options->lags) frame.space.AddLags(Lags::Features(frame.task));
  TakeFrame(frame.task, frame.space, options);
  options->history = false;
  options->most_waiting = 100'000;
  return frame;
}

}  // namespace everlearn
