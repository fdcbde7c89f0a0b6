// From a source and task flags to what learners are fitted on: typed, encoded, in folds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/task_flags.h"
#include "data/folds.h"
#include "learner/dataset.h"
#include "model/feature_space.h"

namespace everlearn {

struct TrainingData {
  Task task;
  Schema schema;  // of the columns that are features or have a role
  FeatureSpace space;
  std::unique_ptr<Dataset> data;
  std::vector<Fold> folds;     // empty where there are too few rows
  bool content_folds = false;  // they are by content, with this seed
  uint64_t fold_seed = 0;
  size_t columns = 0;  // of the source
  JsonArray features;  // what became of each column but the target: name, kind, missing, used
  std::vector<SchemaWarning> warnings;
};

// Rows without a target (or without a time, where there is --time) are left out with a warning. Throws as ReadTable, InferSchema and
// MakeTask do, and kInput where no row is left or a weight is no number ≥ 0.
TrainingData ReadTrainingData(const std::string& source, const TaskFlags& flags, const CommonOptions& options);

}  // namespace everlearn
