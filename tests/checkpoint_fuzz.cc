// Fuzz entry: no checkpoint may crash its loader, nor the steps that go on from one that it accepts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "loop/records.h"
#include "loop/state.h"
#include "loop/step.h"

namespace {

using namespace everlearn;

LoopOptions Options() {
  LoopOptions options;
  options.metric = "log_loss";
  options.classes = 2;
  options.is_category = {false, true};
  options.roster = {"no_change", "running_majority", "online_linear"};
  return options;
}

void FeedRow(LoopState* state, double value, bool outcome) {
  Effects effects;
  const double features[] = {value, value > 0.5 ? 1.0 : 0.0};
  Event event;
  event.row = state->pending.next_row();
  event.features = features;
  Step(*state, {event}, &effects);
  if (!outcome) return;
  event.kind = EventKind::kOutcome;
  event.truth = value > 0.4 ? 1 : 0;
  Step(*state, {event}, &effects);
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  LoopState state(Options());
  for (int i = 0; i < 200; ++i) FeedRow(&state, i % 7 / 7.0, i % 5 != 0);
  const std::string saved = state.Save();
  return {saved.substr(0, saved.size() - sizeof(uint64_t))};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteWriter out;
  for (size_t i = 0; i < size; ++i) out.Put(data[i]);
  out.Put(HashBytes(out.bytes()));  // damage is to reach what lies behind the checksum
  try {
    LoopState state(Options());
    state.Load(out.bytes(), [](const std::string&) { return nullptr; });
    StatusJson(state, Task(), std::vector<double>(state.roster.members.size() + 1));
    for (int i = 0; i < 3; ++i) FeedRow(&state, 0.5, true);
  } catch (const Error&) {
  }
  return 0;
}
