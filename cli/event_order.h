// The rows of a table in the order of event time, for what runs through history: `replay` and `feed`.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/schema.h"
#include "data/table.h"

namespace everlearn {

// "1000" or "1000 rows".
std::optional<uint64_t> ParseRows(std::string_view text);

// A time of a column as microseconds, kNoTime where missing; plain numbers are seconds.
int64_t TimeOf(const Column& column, size_t row);

// The column of that name. Throws kNotFound, and kInput where it holds no times.
const Column& TimeColumn(const Table& table, const std::string& name, const std::string& source);

// Numbers of the rows in the order of time, equal times as they stand; those without a time are left out, with a warning. Throws kInput
// where none is left.
std::vector<uint32_t> RowsInOrder(const Column& time, const std::string& source, std::vector<SchemaWarning>* warnings);

// What --start says, a number of rows or a date, as the first row; `times` are ascending, or empty. Throws kUsage.
size_t StartRow(const std::string& text, const std::vector<int64_t>& times, size_t rows);

}  // namespace everlearn
