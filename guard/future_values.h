// Columns that hold the target of later rows.
#pragma once

#include <vector>

#include "guard/training_input.h"

namespace everlearn {

std::vector<GuardFinding> FindFutureValues(const GuardInput& input);

}  // namespace everlearn
