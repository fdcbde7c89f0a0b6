// How the text of one field becomes the value of its column: numbers, yes/no, dates, and texts that mean missing.
//
// Pure functions and a read-only parser; any thread.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/schema.h"

namespace everlearn {

// Without blanks at both ends.
std::string_view Trim(std::string_view text);

// In lower case, ASCII letters only.
std::string LowerCase(std::string_view text);

// Whether this is well-formed UTF-8 (RFC 3629).
bool IsUtf8(std::string_view text);

// ParsePlainNumber for a text that is more than digits, point and exponent: blanks around, a leading '+', too large for a double.
std::optional<double> ParseUnusualNumber(std::string_view text);

// "-12.345", at most 15 digits: mantissa and power of ten are exact in a double, so that one division rounds correctly (Clinger, How to
// read floating point numbers accurately, 1990). Several times as fast as std::from_chars; nothing where the text is of another form.
inline std::optional<double> ParseShortDecimal(std::string_view text) {
  constexpr std::array<double, 16> kPowersOfTen = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  constexpr size_t kLongest = 17;  // sign, point and 15 digits
  if (text.size() > kLongest) return std::nullopt;
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at != end && *at == '-';
  at += negative ? 1 : 0;
  int64_t mantissa = 0;
  size_t digits = 0, fraction = 0;
  for (; at != end && *at >= '0' && *at <= '9'; ++at, ++digits) mantissa = mantissa * 10 + (*at - '0');
  if (at != end && *at == '.')
    for (++at; at != end && *at >= '0' && *at <= '9'; ++at, ++fraction) mantissa = mantissa * 10 + (*at - '0');
  digits += fraction;
  if (at != end || digits == 0 || digits > 15) return std::nullopt;
  const double value = static_cast<double>(mantissa) / kPowersOfTen[fraction];
  return negative ? -value : value;
}

// A decimal number, whole text; a value beyond the range of double and "nan", "inf" give NaN, as they are missing; nothing where it is no
// number.
inline std::optional<double> ParsePlainNumber(std::string_view text) {
  if (const auto value = ParseShortDecimal(text)) return value;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return std::isfinite(value) ? value : kMissing;
  return ParseUnusualNumber(text);
}

// A number with a percent sign, a currency sign, or commas between thousands: "12.5%" (12.5), "$1,200.50", "-€3", "(1,200)" (-1200).
std::optional<double> ParseDecoratedNumber(std::string_view text);

// A date, with a time or without, in an order of its parts: ISO 8601 (also with '/'), M/D/YYYY or D.M.YYYY (separators / . -), time
// H:MM[:SS] with AM or PM or without. Microseconds since 1970, UTC.
std::optional<int64_t> ParseDate(std::string_view text, DateOrder order);

// 1 for the second word, 0 for the first, ignoring case; or true/false, 1/0.
std::optional<double> ParseBoolean(std::string_view text, const std::vector<std::string>& words);

// Reads the fields of one column. Keeps a reference to the schema.
class FieldParser {
 public:
  explicit FieldParser(const ColumnSchema& schema) : schema_(schema) {}

  // Whether the text means missing in this column.
  bool Missing(std::string_view text) const;

  // The value of a number, integer, boolean or timestamp column, NaN where missing; nothing where the text is none.
  std::optional<double> Value(std::string_view text) const;

 private:
  const ColumnSchema& schema_;
};

}  // namespace everlearn
