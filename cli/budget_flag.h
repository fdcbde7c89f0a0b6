// The flag --budget: work units or a time.
#pragma once

#include <optional>
#include <string>

namespace everlearn {

struct Budget {
  double seconds = 0, units = 0;  // one of the two is above 0
};

// "60s", "2m", "2000units"; a bare number is units. Throws kUsage.
Budget ParseBudget(const std::string& text);

// Work units as people write them: 2000units, "0.03 units", or the number alone. Empty where they are none, or not above 0.
std::optional<double> ParseUnits(const std::string& text);

}  // namespace everlearn
