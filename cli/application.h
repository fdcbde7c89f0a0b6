// The program as a function: finds the command, parses its flags, runs it, and turns every failure into a message and a status.
#pragma once

#include <cstdint>
#include <string>

namespace everlearn {

// Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
int RunApplication(int count, char** arguments);

// What --memory says, in bytes. Throws kUsage.
uint64_t ParseSize(const std::string& text);

}  // namespace everlearn
