// The flag --budget: work units or a time.
#pragma once

#include <string>

namespace everlearn {

struct Budget {
  double seconds = 0, units = 0;  // one of the two is above 0
};

// "60s", "2m", "2000units"; a bare number is units. Throws kUsage.
Budget ParseBudget(const std::string& text);

}  // namespace everlearn
