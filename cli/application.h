// The program as a function: finds the command, parses its flags, runs it, and turns every failure into a message and a status.
#pragma once

#include <cstdint>
#include <string>

namespace everlearn {

// Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
int RunApplication(int count, char** arguments);

// "2GB", "500MB", "1.5 GiB", "4096" → bytes; KB, MB, GB, TB are powers of 1000, KiB … of 1024. Throws kUsage.
uint64_t ParseSize(const std::string& text);

}  // namespace everlearn
