// A time that is known and not heeded, while the target changes with it.
#pragma once

#include <vector>

#include "guard/training_input.h"

namespace everlearn {

std::vector<GuardFinding> FindTimeOrder(const GuardInput& input);

}  // namespace everlearn
