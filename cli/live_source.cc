#include "cli/live_source.h"

#include <algorithm>
#include <numeric>

#include "cli/event_order.h"
#include "data/postgres.h"
#include "data/reader.h"

namespace everlearn {
namespace {

Json ValueOf(const Column& column, size_t row) {
  if (column.missing(row)) return nullptr;
  switch (column.type) {
    case ColumnType::kNumber:
    case ColumnType::kInteger:
      return column.numbers[row];
    case ColumnType::kBoolean:
      return column.numbers[row] != 0;
    default:
      return Json(column.TextAt(row));
  }
}

}  // namespace

LiveSource::LiveSource(const std::string& place, const TaskFlags& flags, const LoopFlags& loop, const CommonOptions& common,
                       std::vector<SchemaWarning>* warnings)
    : options_(ToLoopOptions(loop, flags, common.seed)) {
  const std::string source = ShownPlace(place);
  std::vector<std::string> said;
  raw_ = ReadTable(place, {common.threads, common.memory_bytes, common.query}, &said);
  for (std::string& message : said) warnings->push_back({"source", std::move(message), ""});
  raw_.Get(flags.task.target, source);
  frame_.schema = InferSchema(raw_, ToInferOptions(flags, source), warnings);
  TaskOptions wanted = flags.task;
  if (!loop.outcome_time.empty()) wanted.ignore.push_back(loop.outcome_time);  // known only with the outcome
  frame_.task = MakeTask(raw_, frame_.schema, wanted, source);
  CheckMetric(frame_.task);
  target_ = TargetValues(raw_, frame_.schema, frame_.task, source);
  const Table table = Conform(raw_, frame_.schema, {}, source);
  if (frame_.task.time.empty()) {
    order_.resize(table.rows);
    std::iota(order_.begin(), order_.end(), 0U);
  } else {
    const Column& time = TimeColumn(table, frame_.task.time, source);
    // The clock itself is no feature; of a date the parts that come again (hour, weekday) are.
    if (time.type != ColumnType::kTimestamp) frame_.task.ignore.push_back(frame_.task.time);
    order_ = RowsInOrder(time, source, warnings);
  }
  SetMissingOutcome(loop.missing_outcome, frame_.task, &options_);
  frame_.space = FeatureSpace::Build(table, frame_.schema, frame_.task, false);
  options_.metric = frame_.task.metric;
  options_.classes = frame_.task.labels.size();
  options_.history = true;
  options_.most_waiting = 100'000;  // a service runs for years
  options_.is_category.clear();
  for (const Feature& feature : frame_.space.features()) options_.is_category.push_back(feature.is_category());
  std::erase_if(raw_.columns, [&](const Column& column) {
    return column.name == frame_.task.target || (!loop.outcome_time.empty() && column.name == loop.outcome_time);
  });
}

JsonObject LiveSource::Row(size_t i) const {
  JsonObject row;
  for (const Column& column : raw_.columns) row[column.name] = ValueOf(column, order_[i]);
  return row;
}

}  // namespace everlearn
