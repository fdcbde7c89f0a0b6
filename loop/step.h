// One step of the loop: an event changes the state, and says what follows from it.
//
// Deterministic, no I/O, no clock; the same code in `run`, in `replay`, and when decisions are recomputed from a ledger. A few microseconds
// with one linear member, without allocation once warm.
#pragma once

#include <string>
#include <vector>

#include "loop/event.h"
#include "loop/state.h"

namespace everlearn {

class LookAhead;

struct LoopNotice {
  std::string kind;     // "retrained", "promoted", "rolled_back", "guarded", "failed", "suggested", "paused", "resumed", "configured", …
  uint32_t member = 0;  // 0: none
  uint64_t decision = 0;  // 0: none
  JsonObject detail;
};

struct LoopDecision {
  uint64_t number = 0;
  Decision decision;
};

// What a step brought about. Cleared by each Step.
struct Effects {
  const PendingRow* predicted = nullptr;  // of a row: what was predicted, the champion's first; valid until the next Step
  std::vector<LoopNotice> notices;
  std::vector<LoopDecision> decisions;
  std::vector<TrainRequest> requests;  // trainings to begin
  void Clear();
};

struct StepInput {
  const Event& event;
  // Of a model event: the model (null when it failed, or when events are only recomputed).
  std::shared_ptr<const Model> model = nullptr;
  // Take the predictions of a row from its event instead of asking the members (in `run`, where they were made before).
  bool given = false;
  // As `given`, and no member learns: what follows from stored predictions alone.
  bool recompute = false;
  // The online members were taken ahead: what they say of the row is here, and they have learnt the outcome.
  const LookAhead* ahead = nullptr;
};

// Adds the predictions of all members that speak and are not among `members` yet (the champion first where it is new); `row` is for
// sampling what they cost. `parties` (may be null): what the blend's parties say, where it speaks.
void PredictRow(LoopState& state, uint64_t row, const double* features, std::vector<uint32_t>* members, std::vector<double>* predictions,
                const LookAhead* ahead = nullptr, std::vector<double>* parties = nullptr);

// Events come in the order of their numbers; rows are numbered without gaps. Throws only what a learner throws.
void Step(LoopState& state, const StepInput& input, Effects* effects);

}  // namespace everlearn
