// Fuzz entry: no text may crash the parser of JSON, and what it accepts reads back equal after writing.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

std::vector<std::string> FuzzSeeds() {
  return {R"({"name": "a\u00e9\n", "list": [1, -2.5e-3, 1e300, null, true, {}], "deep": [[[[[]]]]], "n": 0.1})", "[]", "\"text\""};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::string once = everlearn::ToText(everlearn::ParseJson({reinterpret_cast<const char*>(data), size}, "input"));
    if (everlearn::ToText(everlearn::ParseJson(once, "output")) != once) std::abort();
  } catch (const everlearn::Error&) {
  }
  return 0;
}
