#include "cli/live_source.h"

#include <algorithm>

#include "cli/event_rows.h"
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

LiveSource::LiveSource(const std::string& source, const TaskFlags& flags, const LoopFlags& loop, const CommonOptions& common,
                       std::vector<SchemaWarning>* warnings)
    : options_(ToLoopOptions(loop, flags, common.seed)) {
  std::vector<std::string> said;
  raw_ = ReadTable(source, {common.threads, common.memory_bytes}, &said);
  for (std::string& message : said) warnings->push_back({"source", std::move(message), ""});
  EventRows rows = TypeRows(raw_, source, flags, loop, warnings);
  OrderRows(&rows, source, loop, &options_, warnings);
  options_.history = true;
  options_.most_waiting = 100'000;  // a service runs for years
  frame_ = {std::move(rows.task), std::move(rows.schema), std::move(rows.space)};
  target_ = std::move(rows.target);
  order_ = std::move(rows.order);
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
