#include "base/timestamp.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace everlearn {
namespace {

// Reads exactly `digits` decimal digits at the front of `text` and drops them.
bool TakeDigits(std::string_view* text, size_t digits, int* value) {
  if (text->size() < digits) return false;
  *value = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

// The clock part "HH:MM[:SS[.fraction]]" as microseconds.
bool TakeClock(std::string_view* text, int64_t* microseconds) {
  int hour = 0, minute = 0, second = 0;
  if (!TakeDigits(text, 2, &hour) || !TakeChar(text, ':') || !TakeDigits(text, 2, &minute)) return false;
  int64_t fraction = 0;
  if (TakeChar(text, ':')) {
    if (!TakeDigits(text, 2, &second)) return false;
    if (TakeChar(text, '.') || TakeChar(text, ',')) {
      int64_t unit = 100'000;
      bool any = false;
      while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
        fraction += unit * (text->front() - '0');
        unit /= 10;
        text->remove_prefix(1);
        any = true;
      }
      if (!any) return false;
    }
  }
  if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute > 0 || second > 0))) return false;
  *microseconds = ((hour * 60 + minute) * 60LL + second) * kMicrosecondsPerSecond + fraction;
  return true;
}

}  // namespace

std::optional<int64_t> DaysFromDate(int year, int month, int day) {
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int length = month == 2 ? (leap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11) ? 30 : 31;
  if (day > length) return std::nullopt;
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CalendarTime CalendarOf(int64_t microseconds) {
  int64_t days = microseconds / kMicrosecondsPerDay;
  int64_t rest = microseconds % kMicrosecondsPerDay;
  if (rest < 0) {
    rest += kMicrosecondsPerDay;
    --days;
  }
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t day_of_era = z - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_march_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_march_year + 2) / 153;
  CalendarTime time{};
  time.day = static_cast<int>(day_of_march_year - (153 * march_month + 2) / 5 + 1);
  time.month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  time.year = static_cast<int>(year_of_era + era * 400 + (time.month <= 2 ? 1 : 0));
  time.weekday = static_cast<int>(((days + 3) % 7 + 7) % 7);
  time.day_of_year = static_cast<int>(days - *DaysFromDate(time.year, 1, 1) + 1);
  time.hour = static_cast<double>(rest) / (3600.0 * kMicrosecondsPerSecond);
  return time;
}

std::string TimestampText(int64_t microseconds) {
  const CalendarTime date = CalendarOf(microseconds);
  int64_t rest = microseconds % kMicrosecondsPerDay;
  if (rest < 0) rest += kMicrosecondsPerDay;
  const int64_t seconds = rest / kMicrosecondsPerSecond;
  const auto fraction = static_cast<int>(rest % kMicrosecondsPerSecond);
  char text[64];
  int size = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", date.year, date.month, date.day,
                           static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  if (fraction != 0) {
    size += std::snprintf(text + size, sizeof text - static_cast<size_t>(size), ".%06d", fraction);
    while (text[size - 1] == '0') --size;
  }
  return std::string(text, static_cast<size_t>(size)) + "Z";
}

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  int year = 0, month = 0, day = 0;
  if (!TakeDigits(&text, 4, &year) || !TakeChar(&text, '-') || !TakeDigits(&text, 2, &month) || !TakeChar(&text, '-') ||
      !TakeDigits(&text, 2, &day))
    return std::nullopt;
  const auto days = DaysFromDate(year, month, day);
  if (!days) return std::nullopt;
  int64_t clock = 0;
  int64_t offset = 0;
  if (!text.empty()) {
    if (!TakeChar(&text, 'T') && !TakeChar(&text, ' ')) return std::nullopt;
    if (!TakeClock(&text, &clock)) return std::nullopt;
    if (!TakeChar(&text, 'Z') && !text.empty()) {
      TakeChar(&text, ' ');
      const int sign = TakeChar(&text, '+') ? 1 : TakeChar(&text, '-') ? -1 : 0;
      int hours = 0, minutes = 0;
      if (sign == 0 || !TakeDigits(&text, 2, &hours)) return std::nullopt;
      TakeChar(&text, ':');
      if (!text.empty() && !TakeDigits(&text, 2, &minutes)) return std::nullopt;
      offset = sign * (hours * 60 + minutes) * 60 * kMicrosecondsPerSecond;
    }
    if (!text.empty()) return std::nullopt;
  }
  return *days * kMicrosecondsPerDay + clock - offset;
}

std::optional<int64_t> ParseDuration(std::string_view text) {
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || !(count >= 0) || count > 1e9) return std::nullopt;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  double seconds = 0;
  if (unit == "us") seconds = 1e-6;
  else if (unit == "ms") seconds = 1e-3;
  else if (unit == "s") seconds = 1;
  else if (unit == "m" || unit == "min") seconds = 60;
  else if (unit == "h") seconds = 3600;
  else if (unit == "d") seconds = 86400;
  else if (unit == "w") seconds = 7 * 86400;
  else return std::nullopt;
  const double microseconds = count * seconds * static_cast<double>(kMicrosecondsPerSecond);
  constexpr double kLongest = 1e18;  // 31,700 years: sums with points in time stay far from overflow
  if (microseconds > kLongest) return std::nullopt;
  return std::llround(microseconds);
}

}  // namespace everlearn
