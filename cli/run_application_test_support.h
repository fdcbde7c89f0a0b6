// Runs the program in this process and keeps what it wrote; for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/application.h"

namespace everlearn {

struct Ran {
  int status;
  std::string output, errors;
  Json json() const { return ParseJson(output, "the output"); }
};

// `arguments` without the program's own name.
inline Ran RunWith(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "everlearn");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = RunApplication(static_cast<int>(pointers.size()), pointers.data());
  return {status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

}  // namespace everlearn
