// What is special about writing to people: colours, progress lines, tables; all of them plain, or absent, where no terminal is.
//
// One thread, but for Progress::Show.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace everlearn {

enum class Colour { kRed, kYellow };

bool OutputIsTerminal();
// The text for standard error: in colour on a terminal, unless NO_COLOR is set.
std::string Coloured(const std::string& text, Colour colour);

// To standard output; throws kResource where it cannot be written.
void PrintText(const std::string& text);

// Rows of cells as aligned columns, two blanks between them, the first row underlined; columns whose cells are numbers stand to the right.
std::string AlignedTable(const std::vector<std::vector<std::string>>& rows);

// "1,234,567"
std::string Grouped(size_t number);
// Four significant digits, as people read figures.
std::string Figure(double value);

// A value as a cell of a table: figures in four digits, texts bare, null empty.
std::string CellText(const Json& value);
// The same of a member of an object; empty where there is no such member, or no object.
std::string CellOf(const Json& object, std::string_view name);
// A member of an object; null where there is none.
const Json& FieldOrNull(const Json& object, std::string_view name);

// One line on standard error that is overwritten as work goes on; nothing where standard error is no terminal or under --quiet.
class Progress {
 public:
  Progress(const CommonOptions& options, std::string what);
  ~Progress();  // wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Thread-safe. `all` 0: the end is not known. `more` follows the numbers; the line is cut at the width of the terminal.
  void Show(size_t done, size_t all, const std::string& more = "");
  bool active() const { return active_; }

 private:
  bool active_;
  std::string what_;
  std::mutex mutex_;
  size_t shown_ = 0;
};

}  // namespace everlearn
