// everlearn search-worker: what a search starts to run its trials. Not for people.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "search/worker_pool.h"

namespace everlearn {
namespace {

[[maybe_unused]] const bool registered = Commands().Add(
    "search-worker",
    {.summary = "run trials of a search (started by it)", .example = "", .hidden = true, .setup = [](CLI::App&, const CommonOptions&) {
       return std::function<int()>(SearchWorkerMain);
     }});

}  // namespace
}  // namespace everlearn
