// The contract of commands: one file each under cli/commands, which registers itself.
//
// A command declares its flags on a CLI::App and returns what runs after parsing. Errors are thrown as Error and shown by main.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/registry.h"

namespace CLI {
class App;
}

namespace everlearn {

// Flags that every command has.
struct CommonOptions {
  bool json = false;
  bool quiet = false;
  int threads = 0;            // 0: all cores
  uint64_t memory_bytes = 0;  // 0: no limit of ours
  uint64_t seed = 0;
  std::string query;  // --query, of commands that read a SOURCE
};

struct Command {
  int order = 100;  // place in the help
  std::string summary;
  std::string example;  // shown under --help
  bool hidden = false;
  // Declares flags; the returned function runs the command and returns the exit status.
  std::function<std::function<int()>(CLI::App&, const CommonOptions&)> setup;
};

Registry<Command>& Commands();

// Output. Documents go to standard output; everything else to standard error.
void PrintDocument(const Json& document);
void Say(const CommonOptions& options, const std::string& message);   // unless --quiet
void Warn(const CommonOptions& options, const std::string& message);  // unless --quiet

}  // namespace everlearn
