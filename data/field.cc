#include "data/field.h"

#include <algorithm>
#include <array>

#include "base/timestamp.h"

namespace everlearn {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

bool TakeSuffix(std::string_view* text, std::string_view suffix) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  *text = Trim(*text);
  return true;
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  *text = Trim(*text);
  return true;
}

// One to `most` digits at the front of `text`.
bool TakeNumber(std::string_view* text, size_t most, int* value) {
  size_t digits = 0;
  *value = 0;
  while (digits < most && digits < text->size() && IsDigit((*text)[digits])) *value = *value * 10 + ((*text)[digits++] - '0');
  text->remove_prefix(digits);
  return digits > 0;
}

bool TakeChar(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

// Drops the commas of "1,234,567.8"; nothing where they do not stand before groups of three digits.
std::optional<std::string> WithoutThousands(std::string_view text) {
  const std::string_view whole = text.substr(0, text.find('.'));
  if (text.find(',', whole.size()) != std::string_view::npos) return std::nullopt;
  const size_t first = whole.find(',');
  if (first == std::string_view::npos) return std::string(text);
  if (first == 0 || first > 3) return std::nullopt;
  std::string plain(whole.substr(0, first));
  for (size_t at = first; at < whole.size(); at += 4) {
    const std::string_view group = whole.substr(at, 4);
    if (group.size() != 4 || group[0] != ',' || !std::all_of(group.begin() + 1, group.end(), IsDigit)) return std::nullopt;
    plain.append(group.substr(1));
  }
  return plain.append(text.substr(whole.size()));
}

// "H:MM[:SS[.fraction]] [AM|PM]" as microseconds.
std::optional<int64_t> ParseClock(std::string_view text) {
  int hour = 0, minute = 0, second = 0;
  if (!TakeNumber(&text, 2, &hour) || !TakeChar(&text, ':') || !TakeNumber(&text, 2, &minute)) return std::nullopt;
  int64_t fraction = 0;
  if (TakeChar(&text, ':')) {
    if (!TakeNumber(&text, 2, &second)) return std::nullopt;
    if (TakeChar(&text, '.')) {
      int64_t unit = kMicrosecondsPerSecond;
      if (text.empty() || !IsDigit(text.front())) return std::nullopt;
      while (!text.empty() && IsDigit(text.front())) {
        unit /= 10;
        fraction += unit * (text.front() - '0');
        text.remove_prefix(1);
      }
    }
  }
  text = Trim(text);
  if (EqualIgnoringCase(text, "am") || EqualIgnoringCase(text, "pm")) {
    if (hour < 1 || hour > 12) return std::nullopt;
    hour = hour % 12 + (Lower(text.front()) == 'p' ? 12 : 0);
  } else if (!text.empty()) {
    return std::nullopt;
  }
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return ((hour * 60 + minute) * 60LL + second) * kMicrosecondsPerSecond + fraction;
}

}  // namespace

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if ((byte >= 0x80 && byte < 0xc2) || byte > 0xf4 || i + length > text.size()) return false;
    for (size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    i += length;
  }
  return true;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

bool IsMissingToken(std::string_view text) {
  constexpr std::array<std::string_view, 10> kTokens = {"", "na", "n/a", "nan", "null", "?", "<na>", "#n/a", "-nan", "#na"};
  constexpr size_t kLongest = 4;
  text = Trim(text);
  return text.size() <= kLongest &&
         std::any_of(kTokens.begin(), kTokens.end(), [&](std::string_view token) { return EqualIgnoringCase(text, token); });
}

std::optional<double> ParseUnusualNumber(std::string_view text) {
  text = Trim(text);
  if (text.size() > 1 && text[0] == '+' && (IsDigit(text[1]) || text[1] == '.')) text.remove_prefix(1);
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (end != last || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small? The wider type tells; what even that cannot hold is missing.
    long double wide = 0;
    if (std::from_chars(text.data(), last, wide).ec != std::errc()) return kMissing;
    value = static_cast<double>(wide);
  }
  return std::isfinite(value) ? value : kMissing;
}

std::optional<double> ParseDecoratedNumber(std::string_view text) {
  text = Trim(text);
  bool negative = false;
  if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
    negative = true;
    text = Trim(text.substr(1, text.size() - 2));
  } else {
    negative = TakePrefix(&text, "-");
  }
  for (const std::string_view sign : {"$", "€", "£", "¥", "USD", "EUR", "GBP"})
    if (TakePrefix(&text, sign) || TakeSuffix(&text, sign)) break;
  TakeSuffix(&text, "%");
  if (!negative) negative = TakePrefix(&text, "-");
  if (text.empty() || (!IsDigit(text.front()) && text.front() != '.')) return std::nullopt;
  const auto plain = WithoutThousands(text);
  if (!plain) return std::nullopt;
  const auto value = ParsePlainNumber(*plain);
  return value && negative ? -*value : value;
}

std::optional<int64_t> ParseDate(std::string_view text, DateOrder order) {
  text = Trim(text);
  if (order == DateOrder::kIso) {
    if (text.size() < 10 || text[4] != '/' || text[7] != '/') return ParseTimestamp(text);
    std::string iso(text);
    iso[4] = iso[7] = '-';
    return ParseTimestamp(iso);
  }
  int first = 0, second = 0, year = 0;
  if (!TakeNumber(&text, 2, &first) || text.empty()) return std::nullopt;
  const char separator = text.front();
  if (separator != '/' && separator != '.' && separator != '-') return std::nullopt;
  text.remove_prefix(1);
  if (!TakeNumber(&text, 2, &second) || !TakeChar(&text, separator)) return std::nullopt;
  const size_t before = text.size();
  if (!TakeNumber(&text, 4, &year) || before - text.size() != 4) return std::nullopt;
  const auto days = order == DateOrder::kMonthFirst ? DaysFromDate(year, first, second) : DaysFromDate(year, second, first);
  if (!days) return std::nullopt;
  if (text.empty()) return *days * kMicrosecondsPerDay;
  if (!TakeChar(&text, ' ') && !TakeChar(&text, 'T')) return std::nullopt;
  const auto clock = ParseClock(Trim(text));
  if (!clock) return std::nullopt;
  return *days * kMicrosecondsPerDay + *clock;
}

std::optional<double> ParseBoolean(std::string_view text, const std::vector<std::string>& words) {
  text = Trim(text);
  if (words.size() == 2) {
    if (EqualIgnoringCase(text, words[0])) return 0.0;
    if (EqualIgnoringCase(text, words[1])) return 1.0;
  }
  if (EqualIgnoringCase(text, "false") || text == "0") return 0.0;
  if (EqualIgnoringCase(text, "true") || text == "1") return 1.0;
  return std::nullopt;
}

bool FieldParser::Missing(std::string_view text) const {
  if (IsMissingToken(text)) return true;
  if (schema_.missing_tokens.empty()) return false;
  text = Trim(text);
  return std::find(schema_.missing_tokens.begin(), schema_.missing_tokens.end(), text) != schema_.missing_tokens.end();
}

std::optional<double> FieldParser::Value(std::string_view text) const {
  std::optional<double> value;
  switch (schema_.type) {
    case ColumnType::kNumber:
    case ColumnType::kInteger:
      value = ParsePlainNumber(text);
      // Decorations are understood in any column of numbers: a later file may have them where the first had not.
      if (!value) value = ParseDecoratedNumber(text);
      if (!value && EqualIgnoringCase(Trim(text), "none")) return kMissing;
      break;
    case ColumnType::kBoolean:
      value = ParseBoolean(text, schema_.boolean_words);
      break;
    case ColumnType::kTimestamp:
      if (const auto time = ParseDate(text, schema_.date_order)) value = static_cast<double>(*time);
      break;
    default:
      break;
  }
  if (!value && Missing(text)) return kMissing;
  return value;
}

}  // namespace everlearn
