// What promote, rollback, pause and resume have in common: a person's wish, sent to a running service, whose answer is printed.
#pragma once

#include <string>

#include "cli/command.h"

namespace everlearn {

// The command `wish`, which posts to the task's path of that name. `names_member`: its second argument is the member it is about.
Command WishCommand(int order, const std::string& wish, const std::string& summary, bool names_member = false);

}  // namespace everlearn
