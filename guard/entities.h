// Columns that name what several rows belong to, where the target belongs to it as well.
#pragma once

#include <vector>

#include "guard/training_input.h"

namespace everlearn {

std::vector<GuardFinding> FindEntities(const GuardInput& input);

}  // namespace everlearn
