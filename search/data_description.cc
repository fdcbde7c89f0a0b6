#include "search/data_description.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr size_t kSampledRows = 5000;
constexpr size_t kFewValues = 10;

// One row a field: its name, and by what difference (after taking logarithms of sizes) two data sets count as unlike.
struct FieldRule {
  const char* name;
  double DataDescription::*value;
  bool logarithmic;
  double width;
};

constexpr FieldRule kFields[] = {{"rows", &DataDescription::rows, true, 2},
                                 {"features", &DataDescription::features, true, 1.5},
                                 {"category_share", &DataDescription::category_share, false, 0.4},
                                 {"largest_dictionary", &DataDescription::largest_dictionary, true, 2.5},
                                 {"missing_share", &DataDescription::missing_share, false, 0.3},
                                 {"few_values_share", &DataDescription::few_values_share, false, 0.6},
                                 {"strongest_feature", &DataDescription::strongest_feature, false, 0.4},
                                 {"classes", &DataDescription::classes, true, 1},
                                 {"rarest_class_share", &DataDescription::rarest_class_share, false, 0.3},
                                 {"target_skew", &DataDescription::target_skew, true, 1.5}};

// Of a regression and a classification, or of two and more classes.
constexpr double kOtherKindDistance = 1.5;

int Kind(const DataDescription& data) { return data.classes == 0 ? 0 : data.classes <= 2 ? 1 : 2; }

double Scaled(const FieldRule& field, const DataDescription& data) {
  const double value = data.*field.value;
  return (field.logarithmic ? std::copysign(std::log1p(std::abs(value)), value) : value) / field.width;
}

std::vector<size_t> SampledRows(const Dataset& data) {
  const size_t count = std::min(data.rows(), kSampledRows);
  std::vector<size_t> rows(count);
  for (size_t i = 0; i < count; ++i) rows[i] = i * data.rows() / count;
  return rows;
}

// The target as one number a row: of more than two classes, whether it is the most frequent one.
std::vector<double> TargetNumbers(const Dataset& data, const std::vector<size_t>& rows, std::vector<double>* class_rows) {
  std::vector<double> target;
  for (const size_t row : rows) target.push_back(data.target()[row]);
  class_rows->assign(data.classes(), 0);
  if (data.classes() == 0) return target;
  for (const double value : target) ++(*class_rows)[static_cast<size_t>(value)];
  const auto most = static_cast<double>(std::max_element(class_rows->begin(), class_rows->end()) - class_rows->begin());
  for (double& value : target) value = value == most ? 1 : 0;
  return target;
}

// The share of the target's variance between the groups of rows with the same `group`, less what chance gives (ω² of Hays).
double ExplainedShare(const std::vector<size_t>& group, const std::vector<double>& target) {
  const auto n = static_cast<double>(target.size());
  const double mean = std::accumulate(target.begin(), target.end(), 0.0) / n;
  const size_t groups = group.empty() ? 0 : *std::max_element(group.begin(), group.end()) + 1;
  std::vector<double> sums(groups), counts(groups);
  double all = 0;
  for (size_t i = 0; i < target.size(); ++i) {
    sums[group[i]] += target[i] - mean;
    ++counts[group[i]];
    all += (target[i] - mean) * (target[i] - mean);
  }
  double between = 0, used = 0;
  for (size_t g = 0; g < groups; ++g) {
    if (counts[g] == 0) continue;
    between += sums[g] * sums[g] / counts[g];
    ++used;
  }
  if (all <= 0 || n <= used) return 0;
  const double within = (all - between) / (n - used);
  return std::clamp((between - (used - 1) * within) / (all + within), 0.0, 1.0);
}

// Groups of a feature's rows: its categories, or sixteen ranges of equal count; missing is a group of its own.
std::vector<size_t> Groups(const Dataset& data, size_t feature, const std::vector<size_t>& rows, size_t* distinct) {
  constexpr size_t kRanges = 16;
  std::vector<double> sorted;
  for (const size_t row : rows) {
    const double value = data.row(row)[feature];
    if (!std::isnan(value)) sorted.push_back(value);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> values = sorted;
  values.erase(std::unique(values.begin(), values.end()), values.end());
  *distinct = values.size();
  std::vector<double> bounds = values;
  if (!data.is_category(feature) && values.size() > kRanges) {
    bounds.clear();
    for (size_t r = 0; r < kRanges; ++r) bounds.push_back(sorted[r * sorted.size() / kRanges]);
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  }
  std::vector<size_t> groups;
  for (const size_t row : rows) {
    const double value = data.row(row)[feature];
    groups.push_back(std::isnan(value) ? 0 : static_cast<size_t>(std::upper_bound(bounds.begin(), bounds.end(), value) - bounds.begin()));
  }
  return groups;
}

double Skewness(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double second = 0, third = 0;
  for (const double value : values) {
    second += (value - mean) * (value - mean) / n;
    third += (value - mean) * (value - mean) * (value - mean) / n;
  }
  const double skewness = third / std::pow(second, 1.5);
  return second > 0 && std::isfinite(skewness) ? skewness : 0;
}

}  // namespace

Json DataDescription::ToJson() const {
  JsonObject json;
  for (const FieldRule& field : kFields) json[field.name] = this->*field.value;
  return json;
}

DataDescription DataDescription::FromJson(const Json& json) {
  DataDescription data;
  for (const FieldRule& field : kFields) {
    const double value = NumberField(json, field.name);
    if (!std::isfinite(value)) throw Error(ErrorKind::kDamaged, std::string("the description of a data set has no finite ") + field.name);
    data.*field.value = value;
  }
  return data;
}

DataDescription DescribeData(const Dataset& data) {
  DataDescription result;
  result.rows = static_cast<double>(data.rows());
  result.features = static_cast<double>(data.features());
  result.classes = static_cast<double>(data.classes());
  const std::vector<size_t> rows = SampledRows(data);
  if (rows.empty()) return result;
  const auto n = static_cast<double>(rows.size());
  std::vector<double> class_rows;
  const std::vector<double> target = TargetNumbers(data, rows, &class_rows);
  if (data.classes() == 0) {
    result.target_skew = Skewness(target);
  } else {
    result.rarest_class_share = *std::min_element(class_rows.begin(), class_rows.end()) / n;
  }
  double categories = 0, few = 0, missing = 0;
  for (size_t f = 0; f < data.features(); ++f) {
    size_t distinct = 0;
    result.strongest_feature = std::max(result.strongest_feature, ExplainedShare(Groups(data, f, rows, &distinct), target));
    for (const size_t row : rows) missing += std::isnan(data.row(row)[f]) ? 1 : 0;
    if (data.is_category(f)) {
      ++categories;
      result.largest_dictionary = std::max(result.largest_dictionary, static_cast<double>(data.dictionary_size(f)));
    } else if (distinct <= kFewValues) {
      ++few;
    }
  }
  if (data.features() == 0) return result;
  result.category_share = categories / result.features;
  result.few_values_share = few / std::max(1.0, result.features - categories);
  result.missing_share = missing / (result.features * n);
  return result;
}

double Similarity(const DataDescription& a, const DataDescription& b) {
  double distance = Kind(a) == Kind(b) ? 0 : kOtherKindDistance * kOtherKindDistance;
  for (const FieldRule& field : kFields) {
    const double difference = Scaled(field, a) - Scaled(field, b);
    distance += difference * difference;
  }
  return std::exp(-distance / 2);
}

}  // namespace everlearn
