#include "cli/event_rows.h"

#include <numeric>

#include "cli/event_order.h"

namespace everlearn {
EventRows TypeRows(const Table& raw, const std::string& source, const TaskFlags& flags, const LoopFlags& loop,
                   std::vector<SchemaWarning>* warnings) {
  raw.Get(flags.task.target, source);
  EventRows rows;
  rows.schema = InferSchema(raw, ToInferOptions(flags, source), warnings);
  TaskOptions wanted = flags.task;
  if (!loop.outcome_time.empty()) wanted.ignore.push_back(loop.outcome_time);  // known only with the outcome
  rows.task = MakeTask(raw, rows.schema, wanted, source);
  CheckMetric(rows.task);
  rows.target = TargetValues(raw, rows.schema, rows.task, source);
  rows.table = Conform(raw, rows.schema, {}, source);
  return rows;
}

void OrderRows(EventRows* rows, const std::string& source, const LoopFlags& loop, LoopOptions* options,
               std::vector<SchemaWarning>* warnings) {
  Task& task = rows->task;
  if (task.time.empty()) {
    rows->order.resize(rows->table.rows);
    std::iota(rows->order.begin(), rows->order.end(), 0U);
  } else {
    const Column& time = TimeColumn(rows->table, task.time, source);
    // The clock itself is no feature; of a date the parts that come again (hour, weekday) are.
    if (time.type != ColumnType::kTimestamp) task.ignore.push_back(task.time);
    rows->order = RowsInOrder(time, source, warnings);
    rows->table = rows->table.Select(rows->order);
    std::vector<double> target;
    for (const uint32_t row : rows->order) target.push_back(rows->target[row]);
    rows->target = std::move(target);
  }
  SetMissingOutcome(loop.missing_outcome, task, options);
  rows->space = FeatureSpace::Build(rows->table, rows->schema, task, false, kTextNumbersOfStream);
  if (options->lags) rows->space.AddLags(Lags::Features(task));
  TakeFrame(task, rows->space, options);
}

void TakeFrame(const Task& task, const FeatureSpace& space, LoopOptions* options) {
  options->metric = task.metric;
  options->classes = task.labels.size();
  options->is_category.clear();
  options->columns.clear();
  options->lag_features = 0;
  for (const Feature& feature : space.features()) {
    options->is_category.push_back(feature.is_category());
    options->columns.push_back(feature.name);
    options->lag_features += feature.is_lag() ? 1 : 0;
  }
}

}  // namespace everlearn
