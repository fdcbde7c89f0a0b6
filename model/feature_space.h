// From typed columns to rows of feature values: which columns are features, the dictionaries of categories, calendar parts of timestamps,
// n-grams of texts.
//
// Built on training rows, stored in the model file, immutable afterwards but for GrowDictionaries (streams).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/schema.h"
#include "data/task.h"
#include "model/model.h"
#include "model/text_encoder.h"

namespace everlearn {

enum class FeaturePart {
  kValue,
  kCategory,
  kDays,
  kHour,
  kWeekday,
  kDayOfYear,
  kHourOfDay,
  kMonth,
  kDay,
  kMinute,
  kYear,
  kText,
  kLag,
  kLagCategory
};

// Numbers that a column of text becomes, at most: of a table, and of a stream, whose learners touch every number at every row.
constexpr size_t kTextNumbersOfTable = 2048;
constexpr size_t kTextNumbersOfStream = 128;

struct Feature {
  std::string name;  // "age"; "scheduled.hour" for a part of a timestamp; "comment: word good" for one of a text
  std::string
      column;  // the column it comes from; empty for a lag: what is known of earlier outcomes, which the loop fills in (loop/lags.h)
  FeaturePart part = FeaturePart::kValue;
  std::vector<std::string> dictionary;  // of a category: code → text
  // Numbers that have no order but at midnight and new year are categories.
  bool is_category() const {
    return part == FeaturePart::kCategory || part == FeaturePart::kHourOfDay || part == FeaturePart::kMonth || is_lag_category();
  }
  bool is_lag() const { return part == FeaturePart::kLag || is_lag_category(); }
  bool is_lag_category() const { return part == FeaturePart::kLagCategory; }
};

class FeatureSpace {
 public:
  // Features of a conformed table: all columns of the schema but target, weight, group, key, ignored, ids and constants. A
  // dictionary holds at most 65,535 values, the most frequent ones (in order of first appearance). `elapsed_time` false leaves out what
  // only grows with time: days and years of timestamps, and a time column that is a number. A timestamp without times of day has no part
  // of them. A text becomes at most `text_numbers` features, fewer where the table has very many rows.
  static FeatureSpace Build(const Table& table, const Schema& schema, const Task& task, bool elapsed_time,
                            size_t text_numbers = kTextNumbersOfTable);

  // Adds lags behind all others; Encode leaves them missing.
  void AddLags(std::vector<Feature> lags);

  const std::vector<Feature>& features() const { return features_; }
  size_t size() const { return features_.size(); }
  // Names of the columns that a source must have.
  std::vector<std::string> Columns() const;

  // rows × size() numbers, row after row; an unseen category becomes `dictionary.size()`. Throws kNotFound and kInput, naming the column,
  // where a conformed table does not have it or has it in another type. Texts are read on `threads` threads.
  std::vector<double> Encode(const Table& table, int threads = 1) const;
  // As Encode, and unseen categories are first added to the dictionaries, in order of appearance.
  std::vector<double> EncodeGrowing(const Table& table);

  // The code of a category's text, `dictionary.size()` where it is unseen; adds it instead where the dictionary has room.
  double Code(size_t feature, std::string_view text) const;
  double GrowingCode(size_t feature, std::string_view text);
  // The value of a feature of a number or timestamp.
  static double PartOf(FeaturePart part, double value);
  // The encoder of the text whose features begin with this one.
  const TextEncoder& Text(size_t first_feature) const { return texts_.at(first_feature); }

  Json Save(ArrayFileWriter* file) const;
  static FeatureSpace Load(const Json& json, const ArrayFile& file);  // throws kDamaged

 private:
  void MakeIndex();
  void AddText(const std::string& column, TextEncoder encoder);
  void EncodeTexts(const Table& table, int threads, std::vector<double>* values) const;
  std::vector<Feature> features_;
  std::map<size_t, TextEncoder> texts_;  // by the first of its features
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Index = std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>>;
  std::vector<Index> index_;  // one a feature; empty for numbers
};

}  // namespace everlearn
