// The first line of a CSV file: which character separates its fields, and the names of the columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace everlearn {

struct CsvHeader {
  char separator = ',';
  std::vector<std::string> names;  // as they stand, blanks around removed
};

// `line` without its end; `separator` 0 finds the one of , ; tab | that occurs most outside of quotes (',' where there is none). Throws
// kInput naming `source` when the line is no UTF-8 text or a quote is not closed.
CsvHeader ParseCsvHeader(std::string_view line, char separator, const std::string& source);

// Gives a name to columns without one ("column_3") and another to those whose name came before ("a_2"); says so in `warnings`.
void MakeNamesUnique(std::vector<std::string>* names, const std::string& source, std::vector<std::string>* warnings);

}  // namespace everlearn
