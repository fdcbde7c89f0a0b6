#include "data/table.h"

#include <cassert>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/suggest.h"
#include "base/timestamp.h"

namespace everlearn {
namespace {

constexpr std::pair<ColumnType, std::string_view> kTypeNames[] = {
    {ColumnType::kNumber, "number"},       {ColumnType::kInteger, "integer"},   {ColumnType::kBoolean, "boolean"},
    {ColumnType::kTimestamp, "timestamp"}, {ColumnType::kCategory, "category"}, {ColumnType::kText, "text"},
};

// Codes of another dictionary as codes of this one; -1 where not yet translated.
class CodeTranslation {
 public:
  explicit CodeTranslation(const std::vector<std::string>& from) : from_(from), codes_(from.size(), kMissingCode) {}
  int32_t operator()(int32_t code, Dictionary* to) {
    if (code < 0) return kMissingCode;
    int32_t& translated = codes_[static_cast<size_t>(code)];
    if (translated < 0) translated = to->Code(from_[static_cast<size_t>(code)]);
    return translated;
  }

 private:
  const std::vector<std::string>& from_;
  std::vector<int32_t> codes_;
};

Column MissingColumn(const std::string& name, ColumnType type, size_t rows) {
  Column column{.name = name, .type = type};
  if (type == ColumnType::kCategory) column.codes.assign(rows, kMissingCode);
  else if (type != ColumnType::kText) column.numbers.assign(rows, kMissing);
  else
    for (size_t i = 0; i < rows; ++i) column.text.AppendMissing();
  return column;
}

}  // namespace

std::string_view ColumnTypeName(ColumnType type) {
  for (const auto& [known, name] : kTypeNames)
    if (known == type) return name;
  return "";
}

ColumnType ParseColumnType(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [type, known] : kTypeNames) {
    if (known == name) return type;
    names.emplace_back(known);
  }
  throw Error(ErrorKind::kUsage, "no column type is called '" + std::string(name) + "'", SuggestionHint(name, names));
}

void TextArray::AppendAll(const TextArray& other) {
  const uint64_t offset = bytes_.size();
  bytes_.append(other.bytes_);
  ends_.reserve(ends_.size() + other.ends_.size());
  for (const uint64_t end : other.ends_) ends_.push_back(offset + end);
  missing_.insert(missing_.end(), other.missing_.begin(), other.missing_.end());
}

size_t Column::size() const {
  if (type == ColumnType::kCategory) return codes.size();
  return type == ColumnType::kText ? text.size() : numbers.size();
}

bool Column::missing(size_t row) const {
  if (type == ColumnType::kCategory) return codes[row] < 0;
  return type == ColumnType::kText ? text.missing(row) : std::isnan(numbers[row]);
}

std::string Column::TextAt(size_t row) const {
  if (missing(row)) return "";
  switch (type) {
    case ColumnType::kCategory:
      return dictionary[static_cast<size_t>(codes[row])];
    case ColumnType::kText:
      return std::string(text[row]);
    case ColumnType::kBoolean:
      return numbers[row] != 0 ? "true" : "false";
    case ColumnType::kTimestamp:
      return TimestampText(static_cast<int64_t>(numbers[row]));
    default:
      return PlainNumber(numbers[row]);
  }
}

void Column::BecomeText() {
  if (type == ColumnType::kText) return;
  TextArray texts;
  const size_t rows = size();
  texts.Reserve(rows);
  for (size_t row = 0; row < rows; ++row) {
    if (missing(row)) texts.AppendMissing();
    else texts.Append(TextAt(row));
  }
  *this = Column{.name = std::move(name), .type = ColumnType::kText, .text = std::move(texts)};
}

int Table::Find(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == name) return static_cast<int>(i);
  return -1;
}

const Column& Table::Get(std::string_view name, std::string_view source) const {
  const int index = Find(name);
  if (index >= 0) return columns[static_cast<size_t>(index)];
  throw Error(ErrorKind::kNotFound, std::string(source) + " has no column '" + std::string(name) + "'", SuggestionHint(name, Names()));
}

std::vector<std::string> Table::Names() const {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

JsonObject Table::Row(size_t row) const {
  JsonObject object;
  object.reserve(columns.size());
  for (const Column& column : columns) {
    Json& value = object[column.name];
    if (column.missing(row)) value = nullptr;
    else if (column.type == ColumnType::kNumber || column.type == ColumnType::kInteger) value = column.numbers[row];
    else if (column.type == ColumnType::kBoolean) value = column.numbers[row] != 0;
    else value = column.TextAt(row);
  }
  return object;
}

Table Table::Select(std::span<const uint32_t> row_numbers) const {
  Table selected;
  selected.rows = row_numbers.size();
  for (const Column& column : columns) {
    Column& to = selected.columns.emplace_back(Column{.name = column.name, .type = column.type});
    if (column.type == ColumnType::kCategory) {
      Dictionary dictionary;
      CodeTranslation translate(column.dictionary);
      to.codes.reserve(row_numbers.size());
      for (const uint32_t row : row_numbers) to.codes.push_back(translate(column.codes[row], &dictionary));
      to.dictionary = dictionary.Take();
    } else if (column.type == ColumnType::kText) {
      to.text.Reserve(row_numbers.size());
      for (const uint32_t row : row_numbers) {
        if (column.text.missing(row)) to.text.AppendMissing();
        else to.text.Append(column.text[row]);
      }
    } else {
      to.numbers.reserve(row_numbers.size());
      for (const uint32_t row : row_numbers) to.numbers.push_back(column.numbers[row]);
    }
  }
  return selected;
}

void Table::Append(const Table& other) {
  for (const Column& column : other.columns)
    if (Find(column.name) < 0) columns.push_back(MissingColumn(column.name, column.type, rows));
  for (Column& to : columns) {
    const int index = other.Find(to.name);
    const Column lacking = index < 0 ? MissingColumn(to.name, to.type, other.rows) : Column{};
    const Column& from = index < 0 ? lacking : other.columns[static_cast<size_t>(index)];
    if (to.type != from.type) {
      to.BecomeText();
      Column text = from;
      text.BecomeText();
      to.text.AppendAll(text.text);
    } else if (to.type == ColumnType::kCategory) {
      Dictionary dictionary;
      for (const std::string& known : to.dictionary) dictionary.Code(known);
      CodeTranslation translate(from.dictionary);
      for (const int32_t code : from.codes) to.codes.push_back(translate(code, &dictionary));
      to.dictionary = dictionary.Take();
    } else if (to.type == ColumnType::kText) {
      to.text.AppendAll(from.text);
    } else {
      to.numbers.insert(to.numbers.end(), from.numbers.begin(), from.numbers.end());
    }
  }
  rows += other.rows;
}

int32_t Dictionary::Code(std::string_view text) {
  const auto found = codes_.find(text);
  if (found != codes_.end()) return found->second;
  const auto code = static_cast<int32_t>(texts_.size());
  texts_.emplace_back(text);
  codes_.emplace(texts_.back(), code);
  return code;
}

std::string PlainNumber(double value) {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  char buffer[32];
  char* end = nullptr;
  if (std::abs(value) <= kExactIntegers && value == std::floor(value))
    end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<int64_t>(value)).ptr;
  else end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

}  // namespace everlearn
