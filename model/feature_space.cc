// Features in the JSON of a model file: a list of {name, column, part}; the dictionary of feature i is the texts `space.i` of the file. The
// features of a text are one item {column, part, …}, its n-grams the texts `space.i.words` and `space.i.characters`.
#include "model/feature_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/parallel.h"
#include "base/timestamp.h"
#include "model/check.h"

namespace everlearn {
namespace {

constexpr size_t kMaxDictionary = 65'535;
constexpr size_t kMostTextValues = 16'000'000;  // of all rows and texts of a table,
constexpr size_t kFewestTextNumbers = 64;       // as long as a text has so many
constexpr size_t kHours = 24, kMonths = 12;
constexpr std::array<std::string_view, 14> kPartNames = {"value", "category", "days",   "hour", "weekday", "day_of_year", "hour_of_day",
                                                         "month", "day",      "minute", "year", "text",    "lag",         "lag_category"};

std::string_view PartName(FeaturePart part) { return kPartNames[static_cast<size_t>(part)]; }

FeaturePart ParsePart(const std::string& name) {
  const auto found = std::find(kPartNames.begin(), kPartNames.end(), name);
  CheckModel(found != kPartNames.end(), "the part of a feature is not known");
  return static_cast<FeaturePart>(found - kPartNames.begin());
}

bool IsFeatureColumn(const ColumnSchema& column, const Task& task) {
  const std::string& name = column.name;
  const auto among = [&](const std::vector<std::string>& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return column.kind != "id" && column.kind != "constant" && name != task.target && name != task.weight && name != task.group &&
         !among(task.key) && !among(task.ignore);
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

// Whether a time is not a whole multiple of this.
bool HasTimeWithin(const Column& column, int64_t microseconds) {
  return std::any_of(column.numbers.begin(), column.numbers.end(),
                     [=](double x) { return !std::isnan(x) && std::fmod(x, static_cast<double>(microseconds)) != 0; });
}

// The names of the hours or months, whose codes are known without looking.
std::vector<std::string> CalendarDictionary(FeaturePart part) {
  std::vector<std::string> names;
  const bool hours = part == FeaturePart::kHourOfDay;
  for (size_t i = 0; i < (hours ? kHours : kMonths); ++i) names.push_back(std::to_string(hours ? i : i + 1));
  return names;
}

std::vector<Feature> PartsOfTime(const std::string& name, const Column& values, bool elapsed_time, bool season) {
  std::vector<Feature> parts;
  const auto add = [&](FeaturePart part) { parts.push_back({name + "." + std::string(PartName(part)), name, part, {}}); };
  if (elapsed_time) add(FeaturePart::kDays);
  if (HasTimeWithin(values, kMicrosecondsPerDay)) {
    add(FeaturePart::kHour);
    add(FeaturePart::kHourOfDay);
    if (HasTimeWithin(values, kMicrosecondsPerDay / static_cast<int64_t>(kHours))) add(FeaturePart::kMinute);
  }
  add(FeaturePart::kWeekday);
  // Within a year the season of the clock is elapsed time by another name.
  if (season) {
    add(FeaturePart::kDay);
    add(FeaturePart::kDayOfYear);
  }
  // In the order of time each month is a category that was not seen before.
  if (season && elapsed_time) add(FeaturePart::kMonth);
  if (elapsed_time) add(FeaturePart::kYear);
  for (Feature& feature : parts)
    if (feature.is_category()) feature.dictionary = CalendarDictionary(feature.part);
  return parts;
}

}  // namespace

double FeatureSpace::PartOf(FeaturePart part, double value) {
  if (part == FeaturePart::kValue || std::isnan(value)) return value;
  if (part == FeaturePart::kDays) return value / static_cast<double>(kMicrosecondsPerDay);
  const CalendarTime time = CalendarOf(static_cast<int64_t>(value));
  switch (part) {
    case FeaturePart::kHour:
      return time.hour;
    case FeaturePart::kHourOfDay:
      return std::floor(time.hour);
    case FeaturePart::kMinute:
      return std::floor((time.hour - std::floor(time.hour)) * 60 + 1e-9);  // 1e-9 of a minute: the hour is a rounded fraction
    case FeaturePart::kWeekday:
      return time.weekday;
    case FeaturePart::kDay:
      return time.day;
    case FeaturePart::kMonth:
      return time.month - 1;
    case FeaturePart::kYear:
      return time.year;
    default:
      return time.day_of_year;
  }
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

FeatureSpace FeatureSpace::Build(const Table& table, const Schema& schema, const Task& task, bool elapsed_time, size_t text_numbers) {
  FeatureSpace space;
  const auto is_text = [&](const ColumnSchema& column) { return column.type == ColumnType::kText && IsFeatureColumn(column, task); };
  const auto texts = static_cast<size_t>(std::count_if(schema.columns.begin(), schema.columns.end(), is_text));
  const size_t room = kMostTextValues / std::max<size_t>(1, table.rows * texts);
  for (const ColumnSchema& column : schema.columns) {
    if (!IsFeatureColumn(column, task)) continue;
    const Column& values = table.Get(column.name, "the table");
    const std::string& name = column.name;
    if (column.type == ColumnType::kCategory) {
      space.features_.push_back({name, name, FeaturePart::kCategory, FrequentValues(values)});
    } else if (column.type == ColumnType::kText) {
      space.AddText(name, TextEncoder::Build(values.text, std::min(text_numbers, std::max(room, kFewestTextNumbers))));
    } else if (column.type == ColumnType::kTimestamp) {
      for (Feature& part : PartsOfTime(name, values, elapsed_time, elapsed_time || name != task.time))
        space.features_.push_back(std::move(part));
    } else if (elapsed_time || name != task.time) {
      space.features_.push_back({name, name, FeaturePart::kValue, {}});
    }
  }
  space.MakeIndex();
  return space;
}

void FeatureSpace::AddText(const std::string& column, TextEncoder encoder) {
  const size_t first = size();
  for (size_t j = 0; j < encoder.size(); ++j) features_.push_back({column + ": " + encoder.Name(j), column, FeaturePart::kText, {}});
  texts_.emplace(first, std::move(encoder));
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
    if (feature.is_lag()) continue;
    if (columns.empty() || columns.back() != feature.column) columns.push_back(feature.column);
  }
  return columns;
}

void FeatureSpace::AddLags(std::vector<Feature> lags) {
  for (Feature& lag : lags) features_.push_back(std::move(lag));
  MakeIndex();
}

std::vector<double> FeatureSpace::Encode(const Table& table, int threads) const {
  std::vector<const Column*> columns;
  std::vector<std::vector<double>> codes(size());  // of a category: our code of each code of the table, as a number
  for (size_t j = 0; j < size(); ++j) {
    const Feature& feature = features_[j];
    if (feature.is_lag()) {
      columns.push_back(nullptr);
      continue;
    }
    const Column& column = table.Get(feature.column, "the table");
    columns.push_back(&column);
    const bool text = feature.part == FeaturePart::kText, category = feature.part == FeaturePart::kCategory;
    const bool fits = text ? column.type == ColumnType::kText : category ? column.type == ColumnType::kCategory : column.is_numeric();
    if (!fits) {
      throw Error(ErrorKind::kInput, fmt::format("column {} is of type {}, the model needs {}", feature.column, ColumnTypeName(column.type),
                                                 text       ? "text"
                                                 : category ? "a category"
                                                            : "a number"));
    }
    if (!category) continue;
    for (const std::string& value : column.dictionary) codes[j].push_back(Code(j, value));
  }
  // Blocks of rows keep the output in the cache while the columns are written into it.
  constexpr size_t kBlock = 1024;
  std::vector<double> values(table.rows * size());
  for (size_t first = 0; first < table.rows; first += kBlock) {
    const size_t end = std::min(table.rows, first + kBlock);
    for (size_t j = 0; j < size(); ++j) {
      const FeaturePart part = features_[j].part;
      if (part == FeaturePart::kText) continue;
      double* out = values.data() + first * size() + j;
      for (size_t i = first; i < end; ++i, out += size()) {
        if (part == FeaturePart::kCategory) {
          const int32_t code = columns[j]->codes[i];
          *out = code < 0 ? kMissing : codes[j][static_cast<size_t>(code)];
        } else if (columns[j] == nullptr) {
          *out = kMissing;
        } else {
          *out = PartOf(part, columns[j]->numbers[i]);
        }
      }
    }
  }
  EncodeTexts(table, threads, &values);
  return values;
}

void FeatureSpace::EncodeTexts(const Table& table, int threads, std::vector<double>* values) const {
  constexpr size_t kBlock = 256;
  for (const auto& [first, encoder] : texts_) {
    const TextArray& texts = table.Get(features_[first].column, "the table").text;
    ParallelFor((table.rows + kBlock - 1) / kBlock, threads, [&, offset = first, block_encoder = &encoder](size_t block) {
      GramReader reader;
      for (size_t i = block * kBlock; i < std::min(table.rows, (block + 1) * kBlock); ++i)
        block_encoder->Encode(texts[i], texts.missing(i), &reader, values->data() + i * size() + offset);
    });
  }
}

std::vector<double> FeatureSpace::EncodeGrowing(const Table& table) {
  for (size_t j = 0; j < size(); ++j) {
    if (features_[j].part != FeaturePart::kCategory) continue;
    for (const std::string& text : table.Get(features_[j].column, "the table").dictionary) GrowingCode(j, text);
  }
  return Encode(table);
}

Json FeatureSpace::Save(ArrayFileWriter* file) const {
  JsonArray list;
  for (size_t j = 0; j < size(); ++j) {
    const Feature& feature = features_[j];
    const std::string arrays = fmt::format("space.{}", j);
    JsonObject item{{"name", feature.name}, {"column", feature.column}, {"part", PartName(feature.part)}};
    if (feature.part == FeaturePart::kCategory || feature.is_lag_category()) file->AddTexts(arrays, feature.dictionary);
    if (feature.part == FeaturePart::kText) {
      item["name"] = feature.column;
      item["text"] = Text(j).Save(arrays, file);
      j += Text(j).size() - 1;
    }
    list.push_back(std::move(item));
  }
  return list;
}

FeatureSpace FeatureSpace::Load(const Json& json, const ArrayFile& file) {
  CheckModel(json.is_array(), "its features are not a list");
  FeatureSpace space;
  for (const Json& item : json.get_array()) {
    Feature feature{TextField(item, "name"), TextField(item, "column"), ParsePart(TextField(item, "part")), {}};
    const std::string arrays = fmt::format("space.{}", space.size());
    if (feature.part == FeaturePart::kText) {
      space.AddText(feature.column, TextEncoder::Load(Field(item, "text"), arrays, file));
      continue;
    }
    if (feature.part == FeaturePart::kCategory || feature.is_lag_category()) feature.dictionary = file.GetTexts(arrays);
    else if (feature.is_category()) feature.dictionary = CalendarDictionary(feature.part);
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
