#include "cli/event_order.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/timestamp.h"
#include "cli/terminal.h"
#include "loop/event.h"

namespace everlearn {

std::optional<uint64_t> ParseRows(std::string_view text) {
  uint64_t rows = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (!rest.empty() && rest != " rows" && rest != "rows") return std::nullopt;
  return rows;
}

int64_t TimeOf(const Column& column, size_t row) {
  if (column.missing(row)) return kNoTime;
  const double value = column.numbers[row];
  const double microseconds = column.type == ColumnType::kTimestamp ? value : value * static_cast<double>(kMicrosecondsPerSecond);
  if (!(std::abs(microseconds) < 9e18)) return kNoTime;
  return static_cast<int64_t>(std::llround(microseconds));
}

const Column& TimeColumn(const Table& table, const std::string& name, const std::string& source) {
  const Column& column = table.Get(name, source);
  bool empty = true;  // a column without any value says: never
  for (size_t i = 0; i < column.size() && empty; ++i) empty = column.missing(i);
  if (!column.is_numeric() && !empty)
    throw Error(ErrorKind::kInput, source + ": the column '" + name + "' holds no times",
                "say how to read it with --type " + name + "=timestamp");
  return column;
}

std::vector<uint32_t> RowsInOrder(const Column& time, const std::string& source, std::vector<SchemaWarning>* warnings) {
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < time.size(); ++i)
    if (TimeOf(time, i) != kNoTime) rows.push_back(i);
  if (rows.empty()) throw Error(ErrorKind::kInput, source + ": no row has a time in '" + time.name + "'");
  if (rows.size() < time.size())
    warnings->push_back(
        {"missing_time", Grouped(time.size() - rows.size()) + " rows have no '" + time.name + "' and are left out", time.name});
  std::stable_sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) { return time.numbers[a] < time.numbers[b]; });
  return rows;
}

size_t StartRow(const std::string& text, const std::vector<int64_t>& times, size_t rows) {
  if (const auto number = ParseRows(text)) return std::min<size_t>(*number, rows);
  const auto date = ParseTimestamp(text);
  if (!date)
    throw Error(ErrorKind::kUsage, "--start: '" + text + "' is not understood", "write a number of rows, or a date such as 2013-02-01");
  if (times.empty())
    throw Error(ErrorKind::kUsage, "--start " + text + " is a date, but there is no --time", "name the column with --time");
  return static_cast<size_t>(std::lower_bound(times.begin(), times.end(), *date) - times.begin());
}

}  // namespace everlearn
