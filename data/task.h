// What is to be predicted: target, kind, classes, metric, and the columns with a role.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "data/schema.h"
#include "data/table.h"

namespace everlearn {

enum class TaskKind { kBinary, kMulticlass, kRegression };

std::string_view TaskKindName(TaskKind kind);   // "binary", "multiclass", "regression"
TaskKind ParseTaskKind(std::string_view name);  // throws kUsage

struct Task {
  std::string target = {};
  TaskKind kind = TaskKind::kRegression;
  std::string metric = {};                         // a registered metric's name
  std::vector<std::string> labels = {};            // classes as they stood in the data, sorted; empty for regression
  std::string weight = {}, group = {}, time = {};  // column names, empty where there is none
  std::vector<std::string> key = {};
  std::vector<std::string> ignore = {};
  // How a class is chosen from probabilities: the first with the largest weight × probability. One number ≥ 0 a class; empty: all equal.
  std::vector<double> decision = {};

  bool is_classification() const { return kind != TaskKind::kRegression; }
  // Numbers that a prediction consists of: one a class, or one value.
  size_t outputs() const { return is_classification() ? labels.size() : 1; }
  // Index of the class, or -1.
  int LabelIndex(std::string_view label) const;

  Json ToJson() const;
  static Task FromJson(const Json& json);  // throws kDamaged
};

struct TaskOptions {
  std::string target = {};
  std::string kind = {};    // "" : inferred
  std::string metric = {};  // "" : log_loss (classification) or rmse
  std::string weight = {}, group = {}, time = {};
  std::vector<std::string> key = {}, ignore = {};
};

// Completes a task from the raw table: kind, metric, labels.
//
// The kind, where it is not given: a text, category or boolean is a class, two of them binary; a number with two values is binary; an
// integer is a code of a class where its values are 0 … k-1 or 1 … k without a gap (k ≤ 50, none with less than a hundredth of the average
// class's rows: counts have thin tails), or where they are even (k ≤ 20, none with less than half of the average), at least ten rows a
// class; all else is regression. A constant text is binary with one label, a constant number regression.
//
// Labels are written as in the first row that has them (numbers of typed sources as PlainNumber) and sorted bytewise.
// Throws kNotFound (no such column, with the nearest), kInput (target all missing, or not numeric for regression; names source and column).
Task MakeTask(const Table& raw, const Schema& schema, const TaskOptions& options, std::string_view source);

// The target as class index or value, NaN where missing. A label that the task does not know is NaN when `unknown_is_missing`, else throws
// kInput naming row and column.
std::vector<double> TargetValues(const Table& raw, const Schema& schema, const Task& task, std::string_view source,
                                 bool unknown_is_missing = false);

}  // namespace everlearn
