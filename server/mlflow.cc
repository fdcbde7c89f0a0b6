#include "server/mlflow.h"

#include <vector>

#include "base/error.h"

namespace everlearn {
namespace {

[[noreturn]] void Refuse(const std::string& what) { throw Error(ErrorKind::kInput, what); }

const JsonArray& List(const JsonObject& object, const char* name) {
  const Json* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) Refuse(std::string("the request needs a list '") + name + "'");
  return value->get_array();
}

JsonArray FromSplit(const Json& split) {
  if (!split.is_object()) Refuse("dataframe_split must be an object with 'columns' and 'data'");
  const JsonArray& columns = List(split.get_object(), "columns");
  JsonArray rows;
  for (const Json& values : List(split.get_object(), "data")) {
    if (!values.is_array() || values.get_array().size() != columns.size())
      Refuse("row " + std::to_string(rows.size()) + " of dataframe_split has not as many values as there are columns");
    JsonObject row;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].is_string()) Refuse("the columns of dataframe_split must be names");
      row[columns[i].get_string()] = values.get_array()[i];
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

JsonArray FromRecords(const Json& records, const char* name) {
  if (!records.is_array()) Refuse(std::string(name) + " must be a list of objects");
  for (const Json& record : records.get_array())
    if (!record.is_object()) Refuse(std::string(name) + " must be a list of objects: its columns need names");
  return records.get_array();
}

JsonArray FromColumns(const Json& inputs) {
  if (inputs.is_array()) return FromRecords(inputs, "inputs");
  if (!inputs.is_object()) Refuse("inputs must be an object of lists, one a column");
  JsonArray rows;
  bool first = true;
  for (const auto& [name, values] : inputs.get_object()) {
    if (!values.is_array()) Refuse("the column '" + std::string(name) + "' of inputs must be a list");
    const JsonArray& list = values.get_array();
    if (first) rows.resize(list.size(), Json(JsonObject()));
    if (list.size() != rows.size()) Refuse("the columns of inputs are of different lengths");
    for (size_t i = 0; i < list.size(); ++i) rows[i].get_object()[name] = list[i];
    first = false;
  }
  return rows;
}

// Records of RFC 4180: quoted fields may hold separators, quotes and line ends.
std::vector<std::vector<std::string>> ParseCsv(const std::string& text) {
  std::vector<std::vector<std::string>> records(1);
  std::string field;
  bool quoted = false;
  const auto end_field = [&] { records.back().push_back(std::exchange(field, "")); };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') field += text[++i];
    else if (c == '"') quoted = !quoted;
    else if (c == ',' && !quoted) end_field();
    else if (c == '\n' && !quoted) end_field(), records.emplace_back();
    else if (c != '\r' || quoted) field += c;
  }
  if (quoted) Refuse("a quoted field of the CSV does not end");
  if (!field.empty() || !records.back().empty()) end_field();
  else records.pop_back();
  return records;
}

JsonArray FromCsv(const std::string& body) {
  const auto records = ParseCsv(body);
  if (records.empty()) Refuse("the CSV has no header line");
  JsonArray rows;
  for (size_t r = 1; r < records.size(); ++r) {
    if (records[r].size() != records[0].size())
      Refuse("line " + std::to_string(r + 1) + " of the CSV has " + std::to_string(records[r].size()) + " fields, the header has " +
             std::to_string(records[0].size()));
    JsonObject row;
    for (size_t i = 0; i < records[0].size(); ++i) row[records[0][i]] = records[r][i].empty() ? Json(nullptr) : Json(records[r][i]);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

JsonArray RowsOfInvocation(const std::string& content_type, const std::string& body) {
  if (content_type.starts_with("text/csv")) return FromCsv(body);
  const Json request = ParseJson(body, "the request");
  if (!request.is_object()) Refuse("the request must be an object");
  const JsonObject& object = request.get_object();
  if (const Json* split = object.if_contains("dataframe_split")) return FromSplit(*split);
  if (const Json* records = object.if_contains("dataframe_records")) return FromRecords(*records, "dataframe_records");
  if (const Json* instances = object.if_contains("instances")) return FromRecords(*instances, "instances");
  if (const Json* inputs = object.if_contains("inputs")) return FromColumns(*inputs);
  Refuse("the request needs one of dataframe_split, dataframe_records, instances, inputs");
}

}  // namespace everlearn
