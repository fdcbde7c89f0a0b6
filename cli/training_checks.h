// The checks of guard/ over what a fit has read.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/training_data.h"
#include "guard/training_input.h"

namespace everlearn {

// Warnings with the codes of GuardFinding. `table`: the rows of `training`, for the columns that are no features.
std::vector<SchemaWarning> CheckTrainingData(const Table& table, const Schema& schema, const TrainingData& training);

// Whether rows of a test source are training rows. Throws as ReadTable and Conform do.
std::vector<SchemaWarning> CheckTestRows(const std::string& test_source, const TrainingData& training, const CommonOptions& options);

// Throws kInput where a warning is of a leak; for --strict.
void RefuseLeaks(const std::vector<SchemaWarning>& warnings);

}  // namespace everlearn
