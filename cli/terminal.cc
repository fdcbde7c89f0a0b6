#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace everlearn {
namespace {

// Columns that a text takes: UTF-8 continuation bytes take none.
size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool LooksNumeric(const std::string& text) {
  return text.empty() || text == "-" || text.find_first_not_of("+-.,e0123456789%") == std::string::npos;
}

}  // namespace

bool OutputIsTerminal() { return isatty(STDOUT_FILENO) == 1; }

std::string Coloured(const std::string& text, Colour colour) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (isatty(STDERR_FILENO) != 1 || (no_colour != nullptr && *no_colour != '\0')) return text;
  return (colour == Colour::kRed ? "\033[31m" : "\033[33m") + text + "\033[0m";
}

void PrintText(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error(ErrorKind::kResource, std::string("standard output cannot be written: ") + std::strerror(errno));
}

std::string AlignedTable(const std::vector<std::vector<std::string>>& rows) {
  const size_t columns = rows.front().size();
  std::vector<size_t> widths(columns);
  std::vector<bool> right(columns, rows.size() > 1);
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < columns; ++c) {
      widths[c] = std::max(widths[c], Width(rows[r][c]));
      if (r > 0 && !LooksNumeric(rows[r][c])) right[c] = false;
    }
  }
  std::string table;
  const auto add_line = [&](const auto& cell) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      const std::string text = cell(c);
      const std::string padding(widths[c] - Width(text), ' ');
      line += (c == 0 ? "" : "  ") + (right[c] ? padding + text : text + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + "\n";
  };
  for (size_t r = 0; r < rows.size(); ++r) {
    add_line([&](size_t c) { return rows[r][c]; });
    if (r == 0) add_line([&](size_t c) { return std::string(widths[c], '-'); });
  }
  return table;
}

std::string Grouped(size_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string Figure(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4g}", value); }

std::string CellText(const Json& value) {
  if (value.is_double()) return Figure(value.get_double());
  if (value.is_string()) return std::string(value.get_string());
  return value.is_null() ? "" : ToText(value);
}

const Json& FieldOrNull(const Json& object, std::string_view name) {
  static const Json null;
  const Json* found = object.is_object() ? object.get_object().if_contains(name) : nullptr;
  return found == nullptr ? null : *found;
}

std::string CellOf(const Json& object, std::string_view name) { return CellText(FieldOrNull(object, name)); }

Progress::Progress(const CommonOptions& options, std::string what)
    : active_(!options.quiet && isatty(STDERR_FILENO) == 1), what_(std::move(what)) {}

Progress::~Progress() {
  if (active_) std::fputs("\r\033[K", stderr);
}

void Progress::Show(size_t done, size_t all, const std::string& more) {
  if (!active_) return;
  const std::lock_guard lock(mutex_);
  if (done <= shown_) return;  // an older message of another thread
  shown_ = done;
  const std::string of = all == 0 ? "" : " of " + Grouped(all);
  std::string line = what_ + " " + Grouped(done) + of + more;
  winsize window{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 && line.size() >= window.ws_col) line.resize(window.ws_col - 1);
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

}  // namespace everlearn
