// The registry of commands, and what they print.
#include "cli/command.h"

#include <cstdio>

#include "base/error.h"
#include "cli/terminal.h"

namespace everlearn {

Registry<Command>& Commands() {
  static Registry<Command> commands("command");
  return commands;
}

void PrintDocument(const Json& document) { PrintText(ToText(document, OutputIsTerminal()) + "\n"); }

void Say(const CommonOptions& options, const std::string& message) {
  if (!options.quiet) std::fprintf(stderr, "%s\n", message.c_str());
}

void Warn(const CommonOptions& options, const std::string& message) {
  if (!options.quiet) std::fprintf(stderr, "%s %s\n", Coloured("warning:", Colour::kYellow).c_str(), message.c_str());
}

}  // namespace everlearn
