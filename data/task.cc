#include "data/task.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/suggest.h"
#include "data/field.h"

namespace everlearn {
namespace {

constexpr std::pair<TaskKind, std::string_view> kKindNames[] = {
    {TaskKind::kBinary, "binary"}, {TaskKind::kMulticlass, "multiclass"}, {TaskKind::kRegression, "regression"}};

// Reads the target of a table, row by row.
class TargetColumn {
 public:
  TargetColumn(const Table& raw, const Schema& schema, const std::string& target, std::string_view source)
      : column_(raw.Get(target, source)), schema_(Of(schema, target)), number_schema_(schema_), source_(source) {
    number_schema_.type = ColumnType::kNumber;
  }

  const ColumnSchema& schema() const { return schema_; }
  bool is_number() const { return schema_.type == ColumnType::kNumber || schema_.type == ColumnType::kInteger; }

  bool Missing(size_t row) const {
    if (column_.missing(row)) return true;
    if (column_.is_numeric()) return false;
    if (is_number()) {
      const auto value = FieldParser(schema_).Value(Field(row));
      return value && std::isnan(*value);
    }
    return FieldParser(schema_).Missing(Field(row));
  }

  // The label as it stands in the data.
  std::string Label(size_t row) const { return column_.is_numeric() ? column_.TextAt(row) : std::string(Trim(Field(row))); }

  // Labels of one class have the same key, however they are written ("1" and "1.0", "yes" and true).
  std::string Key(std::string_view label) const {
    if (schema_.type == ColumnType::kCategory || schema_.type == ColumnType::kText) return std::string(label);
    const auto value = FieldParser(schema_).Value(label);
    return value && !std::isnan(*value) ? PlainNumber(*value) : std::string(label);
  }

  // The value for regression; throws kInput where it is none.
  double Number(size_t row) const {
    if (column_.type == ColumnType::kTimestamp) NotANumber(row);
    if (column_.is_numeric()) return column_.numbers[row];
    if (column_.missing(row)) return kMissing;
    const std::string_view field = Field(row);
    auto value = FieldParser(number_schema_).Value(field);
    if (!value && schema_.type == ColumnType::kBoolean) value = FieldParser(schema_).Value(field);
    if (!value) NotANumber(row);
    return *value;
  }

  [[noreturn]] void Refuse(size_t row, const std::string& what, const std::string& hint) const {
    throw Error(ErrorKind::kInput,
                std::string(source_) + ", row " + std::to_string(row + 1) + ": target '" + column_.name + "' is '" + column_.TextAt(row) +
                    "', " + what,
                hint);
  }

 private:
  static const ColumnSchema& Of(const Schema& schema, const std::string& target) {
    if (const ColumnSchema* found = schema.Find(target)) return *found;
    throw Error(ErrorKind::kInternal, "the schema has no column '" + target + "'");
  }
  std::string_view Field(size_t row) const {
    if (column_.type == ColumnType::kText) return column_.text[row];
    return column_.dictionary[static_cast<size_t>(column_.codes[row])];
  }
  [[noreturn]] void NotANumber(size_t row) const {
    Refuse(row, "which is not a number", "use --kind binary or --kind multiclass to predict classes");
  }

  const Column& column_;
  const ColumnSchema& schema_;
  ColumnSchema number_schema_;
  std::string_view source_;
};

struct ClassCount {
  std::string label;  // as first seen
  size_t rows = 0;
};

// Classes by key, until there are more than `most`.
std::map<std::string, ClassCount> CountClasses(const TargetColumn& target, size_t rows, size_t most) {
  std::unordered_map<std::string, std::string> keys;  // of labels, which repeat
  std::map<std::string, ClassCount> classes;
  for (size_t row = 0; row < rows && classes.size() <= most; ++row) {
    if (target.Missing(row)) continue;
    std::string label = target.Label(row);
    auto key = keys.find(label);
    if (key == keys.end()) key = keys.emplace(label, target.Key(label)).first;
    ClassCount& count = classes[key->second];
    if (count.rows++ == 0) count.label = std::move(label);
  }
  return classes;
}

// Integers that look like codes of classes rather than amounts; the rule stands at MakeTask.
bool LooksLikeCodes(const std::map<std::string, ClassCount>& classes, size_t rows) {
  constexpr size_t kMostClasses = 50, kMostEvenClasses = 20;
  constexpr size_t kRowsPerClass = 10;
  constexpr size_t kRarest = 100, kRarestEven = 2;  // parts of the average class
  const size_t k = classes.size();
  if (k > kMostClasses || rows < kRowsPerClass * k) return false;
  size_t present = 0, rarest = rows;
  for (const auto& [key, count] : classes) {
    present += count.rows;
    rarest = std::min(rarest, count.rows);
  }
  if (k <= kMostEvenClasses && rarest * k * kRarestEven >= present) return true;
  const size_t first = classes.count("0") > 0 ? 0 : 1;
  for (size_t code = first; code < first + k; ++code)
    if (classes.count(std::to_string(code)) == 0) return false;
  return rarest * k * kRarest >= present;
}

TaskKind InferKind(const TargetColumn& target, const std::map<std::string, ClassCount>& classes, size_t rows, std::string_view where) {
  switch (target.schema().type) {
    case ColumnType::kTimestamp:
      throw Error(ErrorKind::kInput, std::string(where) + " is a timestamp, which cannot be predicted",
                  "derive a number from it, or use --kind multiclass");
    case ColumnType::kNumber:
    case ColumnType::kInteger:
      if (classes.size() == 2) return TaskKind::kBinary;
      if (target.schema().type == ColumnType::kInteger && classes.size() > 2 && LooksLikeCodes(classes, rows)) return TaskKind::kMulticlass;
      return TaskKind::kRegression;
    default:
      return classes.size() <= 2 ? TaskKind::kBinary : TaskKind::kMulticlass;
  }
}

void CheckRoles(const Table& raw, const TaskOptions& options, std::string_view source) {
  std::vector<std::pair<std::string, std::string>> roles = {
      {"--weight", options.weight}, {"--group", options.group}, {"--time", options.time}};
  for (const std::string& name : options.key) roles.emplace_back("--key", name);
  for (const std::string& name : options.ignore) roles.emplace_back("--ignore", name);
  for (const auto& [role, name] : roles) {
    if (name.empty()) continue;
    raw.Get(name, source);
    if (name == options.target) throw Error(ErrorKind::kUsage, "'" + name + "' is the target, and cannot be " + role + " too");
  }
}

JsonArray ToJsonArray(const std::vector<std::string>& texts) { return JsonArray(texts.begin(), texts.end()); }

std::vector<std::string> TextsField(const Json& json, std::string_view name) {
  std::vector<std::string> texts;
  for (const Json& item : ArrayField(json, name)) {
    if (!item.is_string()) throw Error(ErrorKind::kDamaged, "field '" + std::string(name) + "' is not a list of texts");
    texts.emplace_back(item.get_string());
  }
  return texts;
}

// Weights of `classes` classes, of which one is to be chosen.
std::vector<double> ReadDecision(const Json& json, size_t classes) {
  std::vector<double> weights;
  double largest = 0;
  for (const Json& item : ArrayField(json, "decision")) {
    const double weight = item.is_number() ? item.to_number<double>() : -1;
    if (!(weight >= 0) || !std::isfinite(weight)) throw Error(ErrorKind::kDamaged, "a weight of the task's decision is no number ≥ 0");
    weights.push_back(weight);
    largest = std::max(largest, weight);
  }
  if (weights.size() != classes || largest == 0) throw Error(ErrorKind::kDamaged, "the task's decision does not fit its classes");
  return weights;
}

}  // namespace

std::string_view TaskKindName(TaskKind kind) {
  for (const auto& [known, name] : kKindNames)
    if (known == kind) return name;
  return "";
}

TaskKind ParseTaskKind(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [kind, known] : kKindNames) {
    if (known == name) return kind;
    names.emplace_back(known);
  }
  throw Error(ErrorKind::kUsage, "no kind of task is called '" + std::string(name) + "'", SuggestionHint(name, names));
}

int Task::LabelIndex(std::string_view label) const {
  const auto found = std::lower_bound(labels.begin(), labels.end(), label);
  return found != labels.end() && *found == label ? static_cast<int>(found - labels.begin()) : -1;
}

Json Task::ToJson() const {
  JsonObject json{{"target", target},
                  {"kind", TaskKindName(kind)},
                  {"metric", metric},
                  {"labels", ToJsonArray(labels)},
                  {"weight", weight},
                  {"group", group},
                  {"time", time},
                  {"key", ToJsonArray(key)},
                  {"ignore", ToJsonArray(ignore)}};
  if (!decision.empty()) json["decision"] = JsonArray(decision.begin(), decision.end());
  return json;
}

Task Task::FromJson(const Json& json) {
  Task task;
  task.target = TextField(json, "target");
  const std::string kind = TextField(json, "kind");
  try {
    task.kind = ParseTaskKind(kind);
  } catch (const Error&) {
    throw Error(ErrorKind::kDamaged, "field 'kind' of the task is '" + kind + "'");
  }
  task.metric = TextField(json, "metric");
  task.labels = TextsField(json, "labels");
  if (std::adjacent_find(task.labels.begin(), task.labels.end(), std::greater_equal<>()) != task.labels.end() ||
      task.labels.empty() == task.is_classification())
    throw Error(ErrorKind::kDamaged, "field 'labels' of the task does not fit its kind, or is not sorted");
  task.weight = TextField(json, "weight");
  task.group = TextField(json, "group");
  task.time = TextField(json, "time");
  task.key = TextsField(json, "key");
  task.ignore = TextsField(json, "ignore");
  if (json.as_object().contains("decision")) task.decision = ReadDecision(json, task.labels.size());
  return task;
}

Task MakeTask(const Table& raw, const Schema& schema, const TaskOptions& options, std::string_view source) {
  const TargetColumn target(raw, schema, options.target, source);
  CheckRoles(raw, options, source);
  const std::string where = std::string(source) + ": target '" + options.target + "'";
  Task task{.target = options.target,
            .weight = options.weight,
            .group = options.group,
            .time = options.time,
            .key = options.key,
            .ignore = options.ignore};

  // A number with very many values is none of classes, and need not be counted to its end.
  constexpr size_t kMostNumericClasses = 1000;
  const bool classes_asked = options.kind == "binary" || options.kind == "multiclass";
  const auto classes = CountClasses(target, raw.rows, target.is_number() && !classes_asked ? kMostNumericClasses : SIZE_MAX);
  if (classes.empty()) throw Error(ErrorKind::kInput, where + " is missing in every row");
  task.kind = options.kind.empty() ? InferKind(target, classes, raw.rows, where) : ParseTaskKind(options.kind);
  task.metric = !options.metric.empty() ? options.metric : task.is_classification() ? "log_loss" : "rmse";

  if (!task.is_classification()) {
    for (size_t row = 0; row < raw.rows; ++row) target.Number(row);
    return task;
  }
  for (const auto& [key, found] : classes) task.labels.push_back(found.label);
  std::sort(task.labels.begin(), task.labels.end());
  if (task.kind == TaskKind::kBinary && task.labels.size() > 2)
    throw Error(ErrorKind::kInput, where + " has " + std::to_string(task.labels.size()) + " classes, and --kind binary is of two",
                "use --kind multiclass");
  constexpr size_t kFewRows = 20;
  if (task.labels.size() > kFewRows && task.labels.size() == raw.rows)
    throw Error(ErrorKind::kInput, where + " has another value in every row, so there are no classes to learn",
                "choose another target; for numbers written unusually, --type " + options.target + "=number");
  return task;
}

std::vector<double> TargetValues(const Table& raw, const Schema& schema, const Task& task, std::string_view source,
                                 bool unknown_is_missing) {
  const TargetColumn target(raw, schema, task.target, source);
  std::vector<double> values(raw.rows, kMissing);
  if (!task.is_classification()) {
    for (size_t row = 0; row < raw.rows; ++row) values[row] = target.Number(row);
    return values;
  }
  std::unordered_map<std::string, double> by_key;
  for (size_t i = 0; i < task.labels.size(); ++i) by_key.emplace(target.Key(task.labels[i]), static_cast<double>(i));
  std::unordered_map<std::string, double> by_label;  // as written, of what was seen so far
  for (size_t row = 0; row < raw.rows; ++row) {
    if (target.Missing(row)) continue;
    const std::string label = target.Label(row);
    auto known = by_label.find(label);
    if (known == by_label.end()) {
      const auto found = by_key.find(target.Key(label));
      known = by_label.emplace(label, found == by_key.end() ? kMissing : found->second).first;
    }
    values[row] = known->second;
    if (std::isnan(values[row]) && !unknown_is_missing)
      target.Refuse(row, "which is no class of this task", SuggestionHint(label, task.labels));
  }
  return values;
}

}  // namespace everlearn
