// everlearn worker: what the loop starts to train a model beside itself. Not for people.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "loop/trainer.h"

namespace everlearn {
namespace {

[[maybe_unused]] const bool registered = Commands().Add(
    "worker",
    {.summary = "train a model for the loop (started by it)", .example = "", .hidden = true, .setup = [](CLI::App&, const CommonOptions&) {
       return std::function<int()>(WorkerMain);
     }});

}  // namespace
}  // namespace everlearn
