// Stored events stepped through once more, without models: the state that they imply, and whether the stored decisions follow from them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ledger/ledger.h"
#include "loop/state.h"
#include "loop/step.h"

namespace everlearn {

// Sees each event after its step; returns false to stop.
using RecomputeVisit = std::function<bool(uint64_t number, const Event& event, const Effects& effects)>;

// From the state's own event on to the event `last`. Throws kDamaged, as reading does.
void Recompute(const Ledger& ledger, LoopState* state, uint64_t last, const RecomputeVisit& visit);

struct Recomputation {
  std::unique_ptr<LoopState> state;
  std::string difference;   // the first decision that does not come out as it is stored, in words; empty: all do
  int64_t since = kNoTime;  // time of the first row that was scored
};

// From the first event to the last, using no checkpoint. `visit` may be null.
Recomputation RecomputeAll(const Ledger& ledger, const RecomputeVisit& visit = nullptr);

}  // namespace everlearn
