// libFuzzer entry: no bytes may crash the reader of model files, nor the prediction of a model that it accepts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto file = everlearn::ModelFile::Parse(std::string(reinterpret_cast<const char*>(data), size), "input");
    const std::vector<double> row(file.model->features(), everlearn::kMissing);
    std::vector<double> out(file.model->outputs());
    file.model->PredictRow(row.data(), out.data());
  } catch (const everlearn::Error&) {
  }
  return 0;
}
