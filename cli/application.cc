#include "cli/application.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>

#include "base/byte_size.h"
#include "base/error.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"

namespace everlearn {
namespace {

constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2, kInterruptedStatus = 130;

int Fail(const Error& error) {
  std::fprintf(stderr, "%s %s\n", Coloured("everlearn:", Colour::kRed).c_str(), error.message().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  %s\n", error.hint().c_str());
  switch (error.kind()) {
    case ErrorKind::kUsage:
      return kWrongUsage;
    case ErrorKind::kInterrupted:
      return kInterruptedStatus;
    default:
      return kFailed;
  }
}

// The reader of a pipe that we write to has gone ("everlearn predict … | head"): there is nobody left to complain to.
bool OutputHasNoReader() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

void PrintOverview() {
  std::vector<std::pair<std::string, const Command*>> commands;
  for (const std::string& name : Commands().Names()) {
    const Command* command = Commands().Find(name);
    if (!command->hidden) commands.emplace_back(name, command);
  }
  std::stable_sort(commands.begin(), commands.end(), [](const auto& a, const auto& b) { return a.second->order < b.second->order; });
  std::string text =
      "Everlearn: predictive models that run themselves.\n\n"
      "Usage: everlearn COMMAND …\n\nCommands:\n";
  for (const auto& [name, command] : commands) text += fmt::format("  {:<18}{}\n", name, command->summary);
  text +=
      "\neverlearn COMMAND --help shows a command's flags and an example; everlearn --version the version.\n"
      "Every command has --json, --quiet, --threads N, --memory SIZE and --seed N.\n";
  PrintText(text);
}

void AddCommonFlags(CLI::App& app, CommonOptions* options) {
  app.set_help_flag("--help,-h", "show this help");
  app.add_flag("--json", options->json, "one JSON document on standard output")->group("Common flags");
  app.add_flag("--quiet", options->quiet, "no progress, no messages but errors")->group("Common flags");
  app.add_option("--threads", options->threads, "number of threads (default: all cores)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N")
      ->group("Common flags");
  app.add_option_function<std::string>(
         "--memory", [options](const std::string& text) { options->memory_bytes = ParseSize(text); },
         "memory for reading and sorting data, and of the trials of a search, such as 2GB")
      ->type_name("SIZE")
      ->group("Common flags");
  app.add_option("--seed", options->seed, "seed of all random choices (default: 0)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->group("Common flags");
}

// What CLI11 says about wrong flags, as our Error with a suggestion.
Error UsageError(const CLI::App& app, const CLI::ParseError& problem, const std::string& command) {
  const std::string see = "see: everlearn " + command + " --help";
  for (const std::string& text : app.remaining()) {
    if (text.size() < 2 || text.front() != '-') continue;
    const std::string flag = text.substr(0, text.find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      if (!option->get_positional()) known.push_back(option->get_name());
    }
    const std::string hint = SuggestionHint(flag, known);
    return Error(ErrorKind::kUsage, "'" + command + "' has no flag " + flag, hint.front() == 'k' ? see : hint);
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr && !app.remaining().empty())
    return Error(ErrorKind::kUsage, "'" + command + "' does not take the argument '" + app.remaining().front() + "'", see);
  return Error(ErrorKind::kUsage, problem.what(), see);
}

const Command& FindCommand(const std::string& name) {
  if (const Command* command = Commands().Find(name)) return *command;
  std::vector<std::string> shown;
  for (const std::string& known : Commands().Names())
    if (!Commands().Get(known).hidden) shown.push_back(known);
  throw Error(ErrorKind::kUsage, "no command is called '" + name + "'", SuggestionHint(name, shown));
}

int RunCommand(const std::string& name, int count, char** arguments) {
  const Command& command = FindCommand(name);
  CommonOptions options;
  CLI::App app(command.summary + "\n", "everlearn " + name);
  if (!command.example.empty()) app.footer("Example:\n  " + command.example);
  const std::function<int()> run = command.setup(app, options);
  AddCommonFlags(app, &options);
  if (app.get_option_no_throw("SOURCE") != nullptr || app.get_option_no_throw("--data") != nullptr)
    app.add_option("--query", options.query, "rows to read where the source is postgresql://…")->type_name("SQL");
  try {
    app.parse(count, arguments);
  } catch (const CLI::CallForHelp&) {
    PrintText(app.help());
    return kDone;
  } catch (const CLI::ParseError& problem) {
    throw UsageError(app, problem, name);
  }
  return run();
}

}  // namespace

uint64_t ParseSize(const std::string& text) {
  if (const auto bytes = ParseByteSize(text)) return *bytes;
  throw Error(ErrorKind::kUsage, "--memory: '" + text + "' is no size", "write it as 2GB, 500MB or 1.5GiB");
}

int RunApplication(int count, char** arguments) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a limit of the size of files is then an error of the write
  HandleInterrupts();
  try {
    const std::string first = count > 1 ? arguments[1] : "--help";
    if (first == "--version") {
      PrintText("everlearn " EVERLEARN_VERSION "\n");
      return kDone;
    }
    if (first == "--help" || first == "-h" || first == "help") {
      PrintOverview();
      if (count == 1) throw Error(ErrorKind::kUsage, "no command was given");
      return kDone;
    }
    if (first.starts_with('-'))
      throw Error(ErrorKind::kUsage, "the command comes first, before " + first, "for example: everlearn fit loans.csv --target default");
    return RunCommand(first, count - 1, arguments + 1);
  } catch (const Error& error) {
    return OutputHasNoReader() ? kDone : Fail(error);
  } catch (const std::bad_alloc&) {
    return Fail(Error(ErrorKind::kResource, "out of memory", "use fewer rows or columns, or a machine with more memory"));
  } catch (const std::exception& problem) {
    return Fail(Error(ErrorKind::kInternal, std::string("unexpected failure: ") + problem.what()));
  }
}

}  // namespace everlearn
