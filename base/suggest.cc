#include "base/suggest.h"

#include <algorithm>
#include <cctype>

namespace everlearn {

int EditDistance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const int change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string SuggestionHint(std::string_view wrong, const std::vector<std::string>& known) {
  constexpr size_t kMostListed = 40;
  constexpr size_t kLongest = 200;
  const std::string* nearest = nullptr;
  int best = static_cast<int>(std::max<size_t>(2, wrong.size() / 3)) + 1;
  for (const std::string& name : known) {
    if (wrong.size() > kLongest || name.size() > kLongest) continue;
    const int distance = EditDistance(wrong, name);
    if (distance < best) {
      best = distance;
      nearest = &name;
    }
  }
  if (nearest != nullptr) return "did you mean '" + *nearest + "'?";
  std::string hint = "known:";
  for (size_t i = 0; i < known.size() && i < kMostListed; ++i) hint += (i == 0 ? " " : ", ") + known[i];
  if (known.size() > kMostListed) hint += ", …";
  return hint;
}

}  // namespace everlearn
