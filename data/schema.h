// What each column of a source is: inferred once, stored with the model, and applied to every later batch.
//
// A Schema is a plain value, safe to share read-only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/table.h"

namespace everlearn {

// Formats of dates that are read besides ISO 8601.
enum class DateOrder { kIso, kMonthFirst, kDayFirst };

struct ColumnSchema {
  std::string name = {};
  ColumnType type = ColumnType::kNumber;
  // As features JSON says it: the type's name, or "id" (tells rows apart, nothing else) or "constant"; those two are no features.
  std::string kind = {};
  std::vector<std::string> missing_tokens = {};  // texts of this column, besides the usual ones, that mean missing
  DateOrder date_order = DateOrder::kIso;
  bool percent_or_currency = false;             // numbers written as "12%", "$1,200.50", "1,200"
  std::vector<std::string> boolean_words = {};  // the two texts (false, true) of a boolean kept as text in the source
};

struct Schema {
  std::vector<ColumnSchema> columns;

  const ColumnSchema* Find(std::string_view name) const;
  Json ToJson() const;
  static Schema FromJson(const Json& json);  // throws kDamaged
};

struct InferOptions {
  std::map<std::string, ColumnType> types = {};  // --type COL=…; a name that is no column throws kUsage
  std::string source = {};                       // for messages
};

struct SchemaWarning {
  std::string code, message, column;
};

// Infers kinds from a raw table (text columns unparsed): numbers or dates stored as text, yes/no, ids, constants, categories coded as
// numbers. Looks at all rows.
Schema InferSchema(const Table& raw, const InferOptions& options, std::vector<SchemaWarning>* warnings);

// The columns of `schema` that `wanted` names (all when empty), typed as the schema says, in the schema's order; other columns of `raw` are
// left out. Throws kInput naming source and column when a column is absent, and source, row (from 1, of data; `first_row` is added) and
// column when a value is of the wrong type. A category's dictionary is this batch's own.
Table Conform(const Table& raw, const Schema& schema, const std::vector<std::string>& wanted, std::string_view source,
              size_t first_row = 0);

// The usual texts for a missing value (empty, NA, N/A, NaN, null, ?, …), blanks around ignored.
bool IsMissingToken(std::string_view text);

}  // namespace everlearn
