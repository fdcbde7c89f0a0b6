// Rows that stand more than once, so that folds, or train and test, share them.
#pragma once

#include <vector>

#include "guard/training_input.h"

namespace everlearn {

std::vector<GuardFinding> FindDuplicateRows(const GuardInput& input);
// Nothing where no test rows are given.
std::vector<GuardFinding> FindTestRowsInTrain(const GuardInput& input);

}  // namespace everlearn
