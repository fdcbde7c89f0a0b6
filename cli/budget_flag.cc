#include "cli/budget_flag.h"

#include <charconv>

#include "base/error.h"
#include "base/timestamp.h"

namespace everlearn {

std::optional<double> ParseUnits(const std::string& text) {
  constexpr std::string_view kUnits = "units";
  constexpr double kMostUnits = 1e9;
  double units = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), units);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || !(units > 0 && units <= kMostUnits) || (!rest.empty() && rest != kUnits && rest != " units")) return {};
  return units;
}

Budget ParseBudget(const std::string& text) {
  if (const auto time = ParseDuration(text); time && *time > 0)
    return {static_cast<double>(*time) / static_cast<double>(kMicrosecondsPerSecond), 0};
  const auto units = ParseUnits(text);
  if (!units)
    throw Error(ErrorKind::kUsage, "--budget: '" + text + "' is not understood",
                "write work units such as 2000units, or a time such as 60s");
  return {0, *units};
}

}  // namespace everlearn
