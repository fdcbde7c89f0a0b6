#include "base/byte_size.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

namespace everlearn {

std::optional<uint64_t> ParseByteSize(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, static_cast<size_t>(text.data() + text.size() - end));
  unit.erase(0, unit.find_first_not_of(' '));
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  // "", "B", or a prefix that may be followed by "B" (powers of 1000) or "IB" (of 1024).
  const size_t prefix = unit.empty() || unit == "B" ? std::string::npos : std::string_view("KMGT").find(unit.front());
  const std::string rest = unit.size() > 1 ? unit.substr(1) : "";
  const bool known = unit.empty() || unit == "B" || (prefix != std::string::npos && (rest.empty() || rest == "B" || rest == "IB"));
  const double power = prefix == std::string::npos ? 0 : static_cast<double>(prefix + 1);
  const double bytes = number * std::pow(rest == "IB" ? 1024 : 1000, power);
  if (error != std::errc() || !known || !(bytes >= 1 && bytes < 1e18)) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

}  // namespace everlearn
