// Features in the JSON of a model file: a list of {name, column, part}; the dictionary of feature i is the texts `space.i` of the file.
#include "model/feature_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/timestamp.h"
#include "model/check.h"

namespace everlearn {
namespace {

constexpr size_t kMaxDictionary = 65'535;
constexpr std::array<std::string_view, 6> kPartNames = {"value", "category", "days", "hour", "weekday", "day_of_year"};

std::string_view PartName(FeaturePart part) { return kPartNames[static_cast<size_t>(part)]; }

FeaturePart ParsePart(const std::string& name) {
  const auto found = std::find(kPartNames.begin(), kPartNames.end(), name);
  CheckModel(found != kPartNames.end(), "the part of a feature is not known");
  return static_cast<FeaturePart>(found - kPartNames.begin());
}

bool IsFeatureColumn(const ColumnSchema& column, const Task& task) {
  const std::string& name = column.name;
  const auto among = [&](const std::vector<std::string>& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return column.type != ColumnType::kText && column.kind != "id" && column.kind != "constant" && name != task.target &&
         name != task.weight && name != task.group && !among(task.key) && !among(task.ignore);
}

// The most frequent values, in order of first appearance; of equally frequent ones the earlier.
std::vector<std::string> FrequentValues(const Column& column) {
  if (column.dictionary.size() <= kMaxDictionary) return column.dictionary;
  std::vector<size_t> counts(column.dictionary.size()), order(column.dictionary.size());
  for (const int32_t code : column.codes) {
    if (code >= 0) ++counts[static_cast<size_t>(code)];
  }
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  order.resize(kMaxDictionary);
  std::sort(order.begin(), order.end());
  std::vector<std::string> values;
  for (const size_t code : order) values.push_back(column.dictionary[code]);
  return values;
}

bool HasTimeOfDay(const Column& column) {
  return std::any_of(column.numbers.begin(), column.numbers.end(),
                     [](double x) { return !std::isnan(x) && std::fmod(x, static_cast<double>(kMicrosecondsPerDay)) != 0; });
}

}  // namespace

double FeatureSpace::PartOf(FeaturePart part, double value) {
  if (part == FeaturePart::kValue || std::isnan(value)) return value;
  if (part == FeaturePart::kDays) return value / static_cast<double>(kMicrosecondsPerDay);
  const CalendarTime time = CalendarOf(static_cast<int64_t>(value));
  if (part == FeaturePart::kHour) return time.hour;
  return part == FeaturePart::kWeekday ? time.weekday : time.day_of_year;
}

double FeatureSpace::Code(size_t feature, std::string_view text) const {
  const auto found = index_[feature].find(text);
  return static_cast<double>(found == index_[feature].end() ? features_[feature].dictionary.size() : static_cast<size_t>(found->second));
}

double FeatureSpace::GrowingCode(size_t feature, std::string_view text) {
  std::vector<std::string>& dictionary = features_[feature].dictionary;
  const double code = Code(feature, text);
  if (code < static_cast<double>(dictionary.size()) || dictionary.size() >= kMaxDictionary) return code;
  index_[feature].emplace(text, static_cast<int32_t>(dictionary.size()));
  dictionary.emplace_back(text);
  return code;
}

FeatureSpace FeatureSpace::Build(const Table& table, const Schema& schema, const Task& task, bool elapsed_time) {
  FeatureSpace space;
  for (const ColumnSchema& column : schema.columns) {
    if (!IsFeatureColumn(column, task)) continue;
    const Column& values = table.Get(column.name, "the table");
    const std::string& name = column.name;
    if (column.type == ColumnType::kCategory) {
      space.features_.push_back({name, name, FeaturePart::kCategory, FrequentValues(values)});
    } else if (column.type == ColumnType::kTimestamp) {
      if (elapsed_time) space.features_.push_back({name + ".days", name, FeaturePart::kDays, {}});
      if (HasTimeOfDay(values)) space.features_.push_back({name + ".hour", name, FeaturePart::kHour, {}});
      space.features_.push_back({name + ".weekday", name, FeaturePart::kWeekday, {}});
      // Within a year the season of the clock is elapsed time by another name.
      if (elapsed_time || name != task.time) space.features_.push_back({name + ".day_of_year", name, FeaturePart::kDayOfYear, {}});
    } else if (elapsed_time || name != task.time) {
      space.features_.push_back({name, name, FeaturePart::kValue, {}});
    }
  }
  space.MakeIndex();
  return space;
}

void FeatureSpace::MakeIndex() {
  index_.assign(features_.size(), {});
  for (size_t j = 0; j < features_.size(); ++j) {
    for (const std::string& text : features_[j].dictionary) index_[j].emplace(text, static_cast<int32_t>(index_[j].size()));
  }
}

std::vector<std::string> FeatureSpace::Columns() const {
  std::vector<std::string> columns;
  for (const Feature& feature : features_) {
    if (columns.empty() || columns.back() != feature.column) columns.push_back(feature.column);
  }
  return columns;
}

std::vector<double> FeatureSpace::Encode(const Table& table) const {
  std::vector<const Column*> columns;
  std::vector<std::vector<double>> codes(size());  // of a category: our code of each code of the table, as a number
  for (size_t j = 0; j < size(); ++j) {
    const Feature& feature = features_[j];
    const Column& column = table.Get(feature.column, "the table");
    columns.push_back(&column);
    if (feature.is_category() ? column.type != ColumnType::kCategory : !column.is_numeric()) {
      throw Error(ErrorKind::kInput, fmt::format("column {} is of type {}, the model needs {}", feature.column, ColumnTypeName(column.type),
                                                 feature.is_category() ? "a category" : "a number"));
    }
    for (const std::string& text : column.dictionary) codes[j].push_back(Code(j, text));
  }
  // Blocks of rows keep the output in the cache while the columns are written into it.
  constexpr size_t kBlock = 1024;
  std::vector<double> values(table.rows * size());
  for (size_t first = 0; first < table.rows; first += kBlock) {
    const size_t end = std::min(table.rows, first + kBlock);
    for (size_t j = 0; j < size(); ++j) {
      const FeaturePart part = features_[j].part;
      double* out = values.data() + first * size() + j;
      for (size_t i = first; i < end; ++i, out += size()) {
        if (part == FeaturePart::kCategory) {
          const int32_t code = columns[j]->codes[i];
          *out = code < 0 ? kMissing : codes[j][static_cast<size_t>(code)];
        } else {
          *out = PartOf(part, columns[j]->numbers[i]);
        }
      }
    }
  }
  return values;
}

std::vector<double> FeatureSpace::EncodeGrowing(const Table& table) {
  for (size_t j = 0; j < size(); ++j) {
    if (!features_[j].is_category()) continue;
    for (const std::string& text : table.Get(features_[j].column, "the table").dictionary) GrowingCode(j, text);
  }
  return Encode(table);
}

Json FeatureSpace::Save(ArrayFileWriter* file) const {
  JsonArray list;
  for (size_t j = 0; j < size(); ++j) {
    const Feature& feature = features_[j];
    list.push_back({{"name", feature.name}, {"column", feature.column}, {"part", PartName(feature.part)}});
    if (feature.is_category()) file->AddTexts(fmt::format("space.{}", j), feature.dictionary);
  }
  return list;
}

FeatureSpace FeatureSpace::Load(const Json& json, const ArrayFile& file) {
  CheckModel(json.is_array(), "its features are not a list");
  FeatureSpace space;
  for (const Json& item : json.get_array()) {
    Feature feature{TextField(item, "name"), TextField(item, "column"), ParsePart(TextField(item, "part")), {}};
    if (feature.is_category()) feature.dictionary = file.GetTexts(fmt::format("space.{}", space.size()));
    CheckModel(feature.dictionary.size() <= kMaxDictionary, "a dictionary has too many values");
    space.features_.push_back(std::move(feature));
  }
  space.MakeIndex();
  for (size_t j = 0; j < space.size(); ++j) {
    CheckModel(space.index_[j].size() == space.features_[j].dictionary.size(), "a value stands twice in a dictionary");
  }
  return space;
}

}  // namespace everlearn
