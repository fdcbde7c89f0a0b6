// Typed columnar data with missing values: what readers give and everything else works on.
//
// A Table is a plain value: copy it, move it, share it read-only between threads. All columns have `rows` entries.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"

namespace everlearn {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr int32_t kMissingCode = -1;

enum class ColumnType { kNumber, kInteger, kBoolean, kTimestamp, kCategory, kText };

// "number", "integer", "boolean", "timestamp", "category", "text"; parsing throws kUsage with the known names.
std::string_view ColumnTypeName(ColumnType type);
ColumnType ParseColumnType(std::string_view name);

// Texts in one piece of memory; a missing one is told apart from an empty one.
class TextArray {
 public:
  void Append(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(bytes_.size());
    missing_.push_back(0);
  }
  void AppendMissing() {
    ends_.push_back(bytes_.size());
    missing_.push_back(1);
  }
  size_t size() const { return ends_.size(); }
  bool missing(size_t i) const { return missing_[i] != 0; }
  std::string_view operator[](size_t i) const {  // empty where missing
    const uint64_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  void Reserve(size_t count) {
    ends_.reserve(count);
    missing_.reserve(count);
  }
  void AppendAll(const TextArray& other);

 private:
  std::string bytes_;
  std::vector<uint64_t> ends_;
  std::vector<uint8_t> missing_;
};

struct Column {
  std::string name = {};
  ColumnType type = ColumnType::kNumber;
  // One of three, by type:
  std::vector<double> numbers = {};          // number, integer, boolean (0, 1), timestamp (microseconds since 1970, UTC); NaN is missing
  std::vector<int32_t> codes = {};           // category: index into `dictionary`, -1 is missing
  std::vector<std::string> dictionary = {};  // category: distinct values in order of first appearance
  TextArray text = {};                       // text

  bool is_numeric() const { return type != ColumnType::kCategory && type != ColumnType::kText; }
  size_t size() const;
  bool missing(size_t row) const;
  // The value as text: what it said in the source for text and categories; shortest form for numbers (integers without a
  // point), "true"/"false", ISO 8601. Empty where missing.
  std::string TextAt(size_t row) const;
  // Makes this a text column of what TextAt says.
  void BecomeText();
};

struct Table {
  size_t rows = 0;
  std::vector<Column> columns = {};

  // Index of a column, or -1.
  int Find(std::string_view name) const;
  // Throws kNotFound, naming `source` and the nearest column.
  const Column& Get(std::string_view name, std::string_view source) const;
  std::vector<std::string> Names() const;
  // These rows in this order; dictionaries are rebuilt in the new order of first appearance.
  Table Select(std::span<const uint32_t> row_numbers) const;
  // A row as a JSON object: numbers as such, times and texts as TextAt, null where missing.
  JsonObject Row(size_t row) const;
  // Adds the rows of `other`, column by name; columns that one of the two lacks are missing values there. Where a column has another type
  // there, it becomes text.
  void Append(const Table& other);
};

// Codes of texts in order of first appearance, for building a category column.
class Dictionary {
 public:
  // The code of `text`, which is added where it is new.
  int32_t Code(std::string_view text);
  std::vector<std::string> Take() { return std::move(texts_); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> codes_;
  std::vector<std::string> texts_;
};

// A number as a category or label is written: integers without a point, otherwise the shortest form that reads back equal.
std::string PlainNumber(double value);

}  // namespace everlearn
