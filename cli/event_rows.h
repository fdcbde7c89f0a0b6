// From a raw table and flags to what the loop works on: the task, and typed rows with their outcomes in the order of time. What `replay`
// and `run` share.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/replay_input.h"
#include "data/schema.h"
#include "data/table.h"
#include "data/task.h"
#include "model/feature_space.h"

namespace everlearn {

struct EventRows {
  Task task;
  Schema schema;
  Table table;                  // typed
  std::vector<double> target;   // class index or value, one a row; NaN: none
  std::vector<uint32_t> order;  // numbers of the raw table's rows, in the order in which they are here
  FeatureSpace space;
};

// Infers the schema, completes the task, types the rows; they stay in the order of the raw table. Throws as InferSchema and MakeTask do,
// kNotFound where the target is no column, kUsage where the metric does not fit.
EventRows TypeRows(const Table& raw, const std::string& source, const TaskFlags& task, const LoopFlags& loop,
                   std::vector<SchemaWarning>* warnings);

// Puts the rows in the order of time (those without a time are left out with a warning), builds the feature space, and completes `options`
// by what only the data tells: classes, features, metric, the value of a missing outcome. Throws kInput where no row has a time, kUsage
// where a flag does not fit the task.
void OrderRows(EventRows* rows, const std::string& source, const LoopFlags& loop, LoopOptions* options,
               std::vector<SchemaWarning>* warnings);

}  // namespace everlearn
