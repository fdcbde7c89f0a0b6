// Columns that are means of the target over groups of rows, the row itself among them.
#pragma once

#include <vector>

#include "guard/training_input.h"

namespace everlearn {

std::vector<GuardFinding> FindTargetMeans(const GuardInput& input);

}  // namespace everlearn
