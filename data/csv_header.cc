#include "data/csv_header.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/error.h"
#include "data/field.h"

namespace everlearn {
namespace {

char FindSeparator(std::string_view line) {
  constexpr std::array<char, 4> kSeparators = {',', ';', '\t', '|'};
  std::array<size_t, 4> count{};
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const auto found = std::find(kSeparators.begin(), kSeparators.end(), c);
    if (!quoted && found != kSeparators.end()) ++count[static_cast<size_t>(found - kSeparators.begin())];
  }
  return kSeparators[static_cast<size_t>(std::max_element(count.begin(), count.end()) - count.begin())];
}

// Whether this is UTF-8 without control characters but the tab.
bool IsText(std::string_view text) {
  return IsUtf8(text) && std::none_of(text.begin(), text.end(), [](unsigned char byte) { return byte < 0x20 && byte != '\t'; });
}

}  // namespace

CsvHeader ParseCsvHeader(std::string_view line, char separator, const std::string& source) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (!IsText(line)) throw Error(ErrorKind::kInput, source + " is not a table: its first line is not UTF-8 text", "is it a CSV file?");
  CsvHeader header;
  header.separator = separator != 0 ? separator : FindSeparator(line);
  std::string name;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') name.push_back(line[++i]);
    else if (c == '"') quoted = !quoted;
    else if (c == header.separator && !quoted) header.names.emplace_back(Trim(std::exchange(name, "")));
    else name.push_back(c);
  }
  if (quoted) throw Error(ErrorKind::kInput, source + ", line 1: a quoted column name does not end on its line");
  header.names.emplace_back(Trim(name));
  return header;
}

void MakeNamesUnique(std::vector<std::string>* names, const std::string& source, std::vector<std::string>* warnings) {
  const std::set<std::string> given(names->begin(), names->end());
  std::set<std::string> taken;
  const auto free_name = [&](const std::string& stem, size_t number) {
    std::string name;
    do name = stem + "_" + std::to_string(number++);
    while (given.count(name) > 0 || taken.count(name) > 0);
    return name;
  };
  for (size_t i = 0; i < names->size(); ++i) {
    std::string& name = (*names)[i];
    if (name.empty()) {
      name = free_name("column", i + 1);
      warnings->push_back(source + ": column " + std::to_string(i + 1) + " has no name and is called '" + name + "'");
    } else if (taken.count(name) > 0) {
      const std::string old = std::exchange(name, free_name(name, 2));
      warnings->push_back(source + ": there are several columns '" + old + "'; column " + std::to_string(i + 1) + " is called '" + name +
                          "'");
    }
    taken.insert(name);
  }
}

}  // namespace everlearn
