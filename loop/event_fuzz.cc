// Fuzz entry: no stored bytes may crash the decoder of events, and what it accepts is encoded as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "loop/event.h"

namespace {

using namespace everlearn;

constexpr size_t kOutputs = 3;

std::string Encoded(const Event& event) {
  std::string bytes;
  EncodeEvent(event, kOutputs, true, &bytes);
  return bytes;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  Event row, outcome, model;
  row.row = 300;
  row.members = {2, 1};
  row.predictions = {0.5, 0.25, 0.25, 1, 0, 0};
  outcome.kind = EventKind::kOutcome;
  outcome.row = 299;
  outcome.truth = 2;
  model.kind = EventKind::kModel;
  model.learner = "gradient_boosting";
  model.parameters = "{}";
  model.hash = "0123456789abcdef";
  model.detail = R"({"rows": 10})";
  return {Encoded(row), Encoded(outcome), Encoded(model)};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Event event;
  try {
    DecodeEvent({reinterpret_cast<const char*>(data), size}, kOutputs, true, &event);
  } catch (const Error&) {
    return 0;
  }
  if (Encoded(event).size() > size) std::abort();  // numbers may have been written longer than they need, never shorter
  return 0;
}
