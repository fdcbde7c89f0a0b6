// What a task is for as long as it runs: task, schema, feature space. As bytes it is a model file without a model of worth, so that one
// reader with its checks serves both.
#pragma once

#include <string>
#include <vector>

#include "data/schema.h"
#include "data/task.h"
#include "model/feature_space.h"

namespace everlearn {

struct TaskFrame {
  Task task;
  Schema schema;
  FeatureSpace space;

  // Columns that a row may have: what features come from, time and key.
  std::vector<std::string> RequestColumns() const;

  std::string Encode() const;
  static TaskFrame Decode(const std::string& bytes);  // throws kDamaged
};

}  // namespace everlearn
