// Points in time (microseconds since 1970 in UTC) and durations, as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace everlearn {

constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr int64_t kMicrosecondsPerDay = 86'400 * kMicrosecondsPerSecond;

// "2013-02-01T05:15:00Z", with a fraction only where there is one.
std::string TimestampText(int64_t microseconds);

// ISO 8601 dates and times: YYYY-MM-DD, then optionally 'T' or blank, HH:MM[:SS[.fraction]] and Z or ±HH[:MM] (none means UTC).
std::optional<int64_t> ParseTimestamp(std::string_view text);

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Hinnant's days_from_civil); nothing where there is no such day.
std::optional<int64_t> DaysFromDate(int year, int month, int day);

struct CalendarTime {
  int year, month, day;  // 1-based month and day
  int weekday;           // 0 Monday … 6 Sunday
  int day_of_year;       // 1 …
  double hour;           // with fraction, [0, 24)
};
CalendarTime CalendarOf(int64_t microseconds);

// "24h", "1d", "90m", "30s", "1w", "500ms", "20us" → microseconds; nothing where it is none.
std::optional<int64_t> ParseDuration(std::string_view text);

}  // namespace everlearn
