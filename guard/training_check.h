// Checks of the data of every fit: what would make its estimate too good to be true.
//
// Deterministic; looks at samples of rows where there are many. No check knows names of columns. Thread safe.
#pragma once

#include <vector>

#include "guard/training_input.h"

namespace everlearn {

// The findings, leaks first. Nothing where there are fewer than 50 rows, or one class.
std::vector<GuardFinding> CheckTraining(const GuardInput& input);

}  // namespace everlearn
