// Fuzz entry: no bytes may crash the reader of array files.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/array_file.h"

std::vector<std::string> FuzzSeeds() {
  everlearn::ArrayFileWriter file;
  const std::vector<double> numbers{1, 2, 3, 4, 5, 6};
  const std::vector<uint16_t> codes{1, 2, 3};
  const std::vector<std::string> texts{"a", "", "Genève"};
  file.SetText("kind", "sample");
  file.Add<double>("numbers", numbers, {2, 3});
  file.Add<uint16_t>("codes", codes);
  file.AddTexts("names", texts);
  return {file.Bytes(), everlearn::ArrayFileWriter().Bytes()};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto file = everlearn::ArrayFile::Parse(std::string(reinterpret_cast<const char*>(data), size), "input");
    file->ChecksumMatches();
    file->Get<double>("numbers");
    file->GetTexts("names");
  } catch (const everlearn::Error&) {
  }
  return 0;
}
