// Columns that tell the target alone, far better than all others together, and ids that order by it.
#pragma once

#include <vector>

#include "guard/training_input.h"

namespace everlearn {

std::vector<GuardFinding> FindLeaks(const GuardInput& input);

}  // namespace everlearn
