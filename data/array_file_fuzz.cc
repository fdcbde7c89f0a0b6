// libFuzzer entry: no bytes may crash the reader of array files.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "data/array_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    everlearn::ArrayFile::Parse(std::string(reinterpret_cast<const char*>(data), size), "input")->ChecksumMatches();
  } catch (const everlearn::Error&) {
  }
  return 0;
}
