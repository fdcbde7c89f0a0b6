#include "data/schema.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr std::array<std::string_view, 3> kDateOrders = {"iso", "month_first", "day_first"};

[[noreturn]] void Damaged(const std::string& what) { throw Error(ErrorKind::kDamaged, what + " in a stored schema"); }

std::vector<std::string> TextsField(const Json& json, std::string_view name) {
  std::vector<std::string> texts;
  for (const Json& item : ArrayField(json, name)) {
    if (!item.is_string()) Damaged("field '" + std::string(name) + "' is not a list of texts");
    texts.emplace_back(item.get_string());
  }
  return texts;
}

ColumnSchema ColumnFromJson(const Json& json) {
  ColumnSchema column;
  column.name = TextField(json, "name");
  const std::string type = TextField(json, "type");
  try {
    column.type = ParseColumnType(type);
  } catch (const Error&) {
    Damaged("unknown column type '" + type + "'");
  }
  column.kind = TextField(json, "kind");
  column.missing_tokens = TextsField(json, "missing_tokens");
  const auto order = std::find(kDateOrders.begin(), kDateOrders.end(), TextField(json, "date_order"));
  if (order == kDateOrders.end()) Damaged("unknown date order");
  column.date_order = static_cast<DateOrder>(order - kDateOrders.begin());
  const Json& decorated = Field(json, "percent_or_currency");
  if (!decorated.is_bool()) Damaged("field 'percent_or_currency' is neither true nor false");
  column.percent_or_currency = decorated.get_bool();
  column.boolean_words = TextsField(json, "boolean_words");
  if (!column.boolean_words.empty() && column.boolean_words.size() != 2) Damaged("field 'boolean_words' is not two texts");
  return column;
}

}  // namespace

const ColumnSchema* Schema::Find(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnSchema& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

Json Schema::ToJson() const {
  JsonArray list;
  for (const ColumnSchema& column : columns)
    list.push_back(JsonObject{{"name", column.name},
                              {"type", ColumnTypeName(column.type)},
                              {"kind", column.kind},
                              {"missing_tokens", JsonArray(column.missing_tokens.begin(), column.missing_tokens.end())},
                              {"date_order", kDateOrders[static_cast<size_t>(column.date_order)]},
                              {"percent_or_currency", column.percent_or_currency},
                              {"boolean_words", JsonArray(column.boolean_words.begin(), column.boolean_words.end())}});
  return JsonObject{{"columns", std::move(list)}};
}

Schema Schema::FromJson(const Json& json) {
  Schema schema;
  for (const Json& item : ArrayField(json, "columns")) {
    ColumnSchema column = ColumnFromJson(item);
    if (schema.Find(column.name) != nullptr) Damaged("column '" + column.name + "' stands twice");
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

}  // namespace everlearn
