#include "model/row_encoder.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/timestamp.h"
#include "data/field.h"

namespace everlearn {
namespace {

constexpr size_t kLongestShown = 60;

std::string Shown(const Json& value) {
  std::string text = value.is_string() ? std::string(value.get_string()) : ToText(value);
  if (text.size() <= kLongestShown) return text;
  size_t end = kLongestShown;  // not in the middle of a UTF-8 sequence
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

[[noreturn]] void Refuse(const ColumnSchema& column, const Json& value) {
  const std::string type(ColumnTypeName(column.type));
  throw RowError(
      column.name,
      "column '" + column.name + "' is '" + Shown(value) + "', which is not " + (column.type == ColumnType::kInteger ? "an " : "a ") + type,
      "correct the value, or send null");
}

}  // namespace

RowEncoder::RowEncoder(const Schema& schema, const Task& task, const FeatureSpace& space) : task_(task), space_(space) {
  const auto find = [&](const std::string& name) {
    const ColumnSchema* column = schema.Find(name);
    if (column == nullptr) throw Error(ErrorKind::kDamaged, "the schema lacks the column '" + name + "'");
    return column;
  };
  for (size_t j = 0; j < space.size(); ++j) {
    if (space.features()[j].is_lag()) {
      lags_.push_back(j);
      continue;
    }
    const std::string& name = space.features()[j].column;
    if (sources_.empty() || sources_.back().schema->name != name) sources_.push_back({find(name), {}});
    sources_.back().features.push_back(j);
  }
  if (!task.time.empty()) time_ = find(task.time);
  target_ = schema.Find(task.target);
  for (const std::string& name : task.key) key_.push_back(find(name));
}

double RowEncoder::Number(const ColumnSchema& column, const Json& value) const {
  if (value.is_null()) return kMissing;
  const bool is_time = column.type == ColumnType::kTimestamp, is_boolean = column.type == ColumnType::kBoolean;
  if (value.is_string()) {
    const auto parsed = FieldParser(column).Value(std::string_view(value.get_string()));
    if (!parsed) Refuse(column, value);
    return *parsed;
  }
  if (is_time || !(value.is_bool() || value.is_number())) Refuse(column, value);
  const double number = value.is_bool() ? (value.get_bool() ? 1.0 : 0.0) : value.to_number<double>();
  if (is_boolean && number != 0 && number != 1) Refuse(column, value);
  return std::isfinite(number) ? number : kMissing;  // 1e999: as in a file
}

bool RowEncoder::Text(const ColumnSchema& column, const Json& value, std::string* text) const {
  if (value.is_null()) return false;
  if (value.is_string()) {
    if (FieldParser(column).Missing(std::string_view(value.get_string()))) return false;
    text->assign(std::string_view(value.get_string()));
    return true;
  }
  if (!value.is_bool() && !value.is_number()) Refuse(column, value);
  *text = value.is_bool() ? (value.get_bool() ? "true" : "false") : PlainNumber(value.to_number<double>());
  return true;
}

template <typename CodeOf>
void RowEncoder::EncodeAll(const JsonObject& row, Absent absent, double* features, const CodeOf& code_of) const {
  std::string text;
  GramReader reader;
  for (const size_t j : lags_) features[j] = kMissing;
  for (const Source& source : sources_) {
    const Json* value = row.if_contains(source.schema->name);
    if (value == nullptr && absent == Absent::kRefused)
      throw RowError(source.schema->name, "the row has no column '" + source.schema->name + "'", "send null where a value is missing");
    const bool is_category = source.schema->type == ColumnType::kCategory, is_text = source.schema->type == ColumnType::kText;
    double number = kMissing;
    bool known = false;
    if (value != nullptr) {
      if (is_category || is_text) known = Text(*source.schema, *value, &text);
      else number = Number(*source.schema, *value);
    }
    if (is_text) {
      const size_t first = source.features.front();
      space_.Text(first).Encode(text, !known, &reader, features + first);
      continue;
    }
    for (const size_t j : source.features) {
      if (is_category) features[j] = known ? code_of(j, text) : kMissing;
      else features[j] = FeatureSpace::PartOf(space_.features()[j].part, number);
    }
  }
}

bool RowEncoder::Encode(const JsonObject& row, Absent absent, double* features) const {
  bool unseen = false;
  EncodeAll(row, absent, features, [&](size_t feature, const std::string& text) {
    const double code = space_.Code(feature, text);
    unseen = unseen || code >= static_cast<double>(space_.features()[feature].dictionary.size());
    return code;
  });
  return unseen;
}

void RowEncoder::EncodeGrowing(const JsonObject& row, FeatureSpace* space, double* features) const {
  EncodeAll(row, Absent::kAsMissing, features, [&](size_t feature, const std::string& text) { return space->GrowingCode(feature, text); });
}

bool RowEncoder::Time(const JsonObject& row, int64_t* microseconds) const { return time_ != nullptr && TimeIn(*time_, row, microseconds); }

bool RowEncoder::TimeIn(const ColumnSchema& column, const JsonObject& row, int64_t* microseconds) const {
  const Json* value = row.if_contains(column.name);
  if (value == nullptr) return false;
  const double number = Number(column, *value);
  const double in_microseconds = column.type == ColumnType::kTimestamp ? number : number * static_cast<double>(kMicrosecondsPerSecond);
  if (std::isnan(number)) return false;
  if (!(std::abs(in_microseconds) < 9e18)) Refuse(column, *value);
  *microseconds = std::llround(in_microseconds);
  return true;
}

uint64_t RowEncoder::Key(const JsonObject& row) const {
  if (key_.empty()) return 0;
  uint64_t hash = key_.size();
  std::string text;
  for (const ColumnSchema* column : key_) {
    const Json* value = row.if_contains(column->name);
    if (value == nullptr) return 0;
    if (column->type == ColumnType::kCategory || column->type == ColumnType::kText) {
      if (!Text(*column, *value, &text)) return 0;
    } else {
      const double number = Number(*column, *value);
      if (std::isnan(number)) return 0;
      text = PlainNumber(number);
    }
    hash = HashBytes(text, hash);
  }
  return std::max<uint64_t>(hash, 1);
}

double RowEncoder::Truth(const Json& outcome) const {
  const auto refuse = [&](const std::string& needed) {
    throw RowError(task_.target, "the outcome '" + Shown(outcome) + "' is not " + needed);
  };
  if (outcome.is_null() || outcome.is_array() || outcome.is_object()) refuse("a value");
  if (task_.is_classification()) {
    std::string label = outcome.is_string() ? std::string(Trim(std::string_view(outcome.get_string())))
                        : outcome.is_bool() ? (outcome.get_bool() ? "true" : "false")
                                            : PlainNumber(outcome.to_number<double>());
    int index = task_.LabelIndex(label);
    if (index < 0 && outcome.is_bool()) index = task_.LabelIndex(outcome.get_bool() ? "1" : "0");
    // A number as text, written otherwise than in the training data ("1.0" for "1").
    if (const auto number = ParsePlainNumber(label); index < 0 && number) index = task_.LabelIndex(PlainNumber(*number));
    if (index < 0) {
      std::string known;
      for (const std::string& name : task_.labels) known += (known.empty() ? "" : ", ") + name;
      refuse("one of the classes " + known);
    }
    return index;
  }
  double number = kMissing;
  if (outcome.is_string()) {
    const auto parsed = target_ == nullptr ? ParsePlainNumber(std::string_view(outcome.get_string()))
                                           : FieldParser(*target_).Value(std::string_view(outcome.get_string()));
    if (parsed) number = *parsed;
  } else {
    number = outcome.is_bool() ? (outcome.get_bool() ? 1.0 : 0.0) : outcome.to_number<double>();
  }
  if (!std::isfinite(number)) refuse("a number");
  return number;
}

}  // namespace everlearn
