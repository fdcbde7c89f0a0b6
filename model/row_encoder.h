// One row as a JSON object -> feature values, by the same rules as a table's (data/conform.cc, model/feature_space.cc).
//
// Immutable; any thread. The schema and feature space must outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "data/schema.h"
#include "data/task.h"
#include "model/feature_space.h"

namespace everlearn {

// A value that a row must not have; names the column.
class RowError : public Error {
 public:
  RowError(std::string column, std::string message, std::string hint = "")
      : Error(ErrorKind::kInput, std::move(message), std::move(hint)), column_(std::move(column)) {}
  const std::string& column() const { return column_; }

 private:
  std::string column_;
};

class RowEncoder {
 public:
  RowEncoder(const Schema& schema, const Task& task, const FeatureSpace& space);

  enum class Absent { kRefused, kAsMissing };
  // Writes space.size() values; true when a category was unseen (its value is then the size of the dictionary). Throws RowError for a
  // column that is not there (kRefused) and a value of another type; `features` is then undefined.
  bool Encode(const JsonObject& row, Absent absent, double* features) const;
  // As Encode, and unseen categories are added to `space`, which is the one given to the constructor.
  void EncodeGrowing(const JsonObject& row, FeatureSpace* space, double* features) const;

  // Microseconds since 1970 of the task's time column (plain numbers are seconds); nothing where the task has none or the value is missing.
  // Throws RowError.
  bool Time(const JsonObject& row, int64_t* microseconds) const;
  // The same of any column.
  bool TimeIn(const ColumnSchema& column, const JsonObject& row, int64_t* microseconds) const;
  // A hash of the key columns, never 0; 0 where the task has no key, or one of them is missing. Throws RowError.
  uint64_t Key(const JsonObject& row) const;
  // An outcome as class index or value. Throws RowError with the target's name.
  double Truth(const Json& outcome) const;

 private:
  struct Source {
    const ColumnSchema* schema;
    std::vector<size_t> features;  // that come from this column
  };
  double Number(const ColumnSchema& column, const Json& value) const;
  bool Text(const ColumnSchema& column, const Json& value, std::string* text) const;
  template <typename CodeOf>
  void EncodeAll(const JsonObject& row, Absent absent, double* features, const CodeOf& code_of) const;

  const Task& task_;
  const FeatureSpace& space_;
  std::vector<Source> sources_;
  std::vector<size_t> lags_;  // features that no column has
  const ColumnSchema* time_ = nullptr;
  const ColumnSchema* target_ = nullptr;
  std::vector<const ColumnSchema*> key_;
};

}  // namespace everlearn
