// Types the columns of a batch as a schema says.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/suggest.h"
#include "data/field.h"
#include "data/schema.h"

namespace everlearn {
namespace {

class ColumnConformer {
 public:
  ColumnConformer(const Column& raw, const ColumnSchema& schema, std::string_view source, size_t first_row)
      : raw_(raw), schema_(schema), parser_(schema), source_(source), first_row_(first_row) {}

  Column Conform() const {
    Column to{.name = schema_.name, .type = schema_.type};
    switch (schema_.type) {
      case ColumnType::kCategory:
        ToCategory(&to);
        break;
      case ColumnType::kText:
        ToText(&to);
        break;
      default:
        to.numbers.reserve(raw_.size());
        if (raw_.type == ColumnType::kText) NumbersFromText(&to);
        else if (raw_.type == ColumnType::kCategory) NumbersFromCategory(&to);
        else NumbersFromNumbers(&to);
    }
    return to;
  }

 private:
  void ToCategory(Column* to) const {
    if (raw_.type == ColumnType::kCategory) {
      to->codes = raw_.codes;
      to->dictionary = raw_.dictionary;
      return;
    }
    Dictionary dictionary;
    const size_t rows = raw_.size();
    to->codes.reserve(rows);
    const bool is_text = raw_.type == ColumnType::kText;
    for (size_t row = 0; row < rows; ++row) {
      const bool missing = raw_.missing(row) || (is_text && parser_.Missing(raw_.text[row]));
      to->codes.push_back(missing ? kMissingCode : is_text ? dictionary.Code(raw_.text[row]) : dictionary.Code(raw_.TextAt(row)));
    }
    to->dictionary = dictionary.Take();
  }

  void ToText(Column* to) const {
    if (raw_.type != ColumnType::kText) {
      *to = raw_;
      to->BecomeText();
      return;
    }
    const size_t rows = raw_.size();
    to->text.Reserve(rows);
    for (size_t row = 0; row < rows; ++row) {
      if (raw_.text.missing(row) || parser_.Missing(raw_.text[row])) to->text.AppendMissing();
      else to->text.Append(raw_.text[row]);
    }
  }

  double Parse(std::string_view text, size_t row) const {
    const auto value = parser_.Value(text);
    if (!value) Refuse(row);
    return *value;
  }

  void NumbersFromText(Column* to) const {
    const size_t rows = raw_.size();
    for (size_t row = 0; row < rows; ++row) to->numbers.push_back(raw_.text.missing(row) ? kMissing : Parse(raw_.text[row], row));
  }

  void NumbersFromCategory(Column* to) const {
    std::vector<double> values(raw_.dictionary.size());
    std::vector<bool> parsed(raw_.dictionary.size());
    for (size_t row = 0; row < raw_.codes.size(); ++row) {
      if (raw_.codes[row] < 0) {
        to->numbers.push_back(kMissing);
        continue;
      }
      const auto code = static_cast<size_t>(raw_.codes[row]);
      if (!parsed[code]) values[code] = Parse(raw_.dictionary[code], row);
      parsed[code] = true;
      to->numbers.push_back(values[code]);
    }
  }

  void NumbersFromNumbers(Column* to) const {
    to->numbers = raw_.numbers;
    const bool from_time = raw_.type == ColumnType::kTimestamp;
    const bool to_time = schema_.type == ColumnType::kTimestamp;
    const bool to_boolean = schema_.type == ColumnType::kBoolean;
    if (from_time == to_time && !to_boolean) return;
    for (size_t row = 0; row < to->numbers.size(); ++row) {
      const double value = to->numbers[row];
      const bool fits = from_time == to_time && (!to_boolean || value == 0 || value == 1);
      if (!std::isnan(value) && !fits) Refuse(row);
    }
  }

  [[noreturn]] void Refuse(size_t row) const {
    constexpr size_t kLongest = 60;
    std::string value = raw_.TextAt(row);
    if (value.size() > kLongest) {
      // Not in the middle of a UTF-8 sequence.
      size_t end = kLongest;
      while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) --end;
      value = value.substr(0, end) + "…";
    }
    const std::string type(ColumnTypeName(schema_.type));
    const std::string article = schema_.type == ColumnType::kInteger ? "an " : "a ";
    throw Error(ErrorKind::kInput,
                std::string(source_) + ", row " + std::to_string(first_row_ + row + 1) + ": column '" + schema_.name + "' is '" + value +
                    "', which is not " + article + type,
                "correct the value, leave it empty, or fit with --type " + schema_.name + "=category");
  }

  const Column& raw_;
  const ColumnSchema& schema_;
  FieldParser parser_;
  std::string_view source_;
  size_t first_row_;
};

}  // namespace

Table Conform(const Table& raw, const Schema& schema, const std::vector<std::string>& wanted, std::string_view source, size_t first_row) {
  for (const std::string& name : wanted)
    if (schema.Find(name) == nullptr) throw Error(ErrorKind::kInternal, "the schema has no column '" + name + "'");
  Table table;
  table.rows = raw.rows;
  for (const ColumnSchema& column : schema.columns) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), column.name) == wanted.end()) continue;
    const int index = raw.Find(column.name);
    if (index < 0)
      throw Error(ErrorKind::kInput, std::string(source) + " has no column '" + column.name + "'",
                  SuggestionHint(column.name, raw.Names()));
    table.columns.push_back(ColumnConformer(raw.columns[static_cast<size_t>(index)], column, source, first_row).Conform());
  }
  return table;
}

}  // namespace everlearn
