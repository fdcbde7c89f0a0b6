#include "loop/recompute.h"

#include <map>

#include "loop/records.h"

namespace everlearn {
namespace {

using DecisionsByNumber = std::map<int64_t, std::pair<uint64_t, std::string>>;  // event and body

// A ledger that is being written may have more decisions by now than the events that were read.
std::string FirstDifference(const Ledger& ledger, uint64_t last, DecisionsByNumber made) {
  for (const LedgerDecision& stored : ledger.Decisions()) {
    if (stored.event > last) continue;
    const auto found = made.find(stored.number);
    const std::string name = "decision " + std::to_string(stored.number);
    if (found == made.end()) return name + " does not follow from the stored predictions and outcomes";
    if (found->second != std::pair(stored.event, stored.body))
      return name + " comes out differently when it is recomputed from the stored predictions and outcomes";
    made.erase(found);
  }
  return made.empty() ? "" : "decision " + std::to_string(made.begin()->first) + " follows from the events but is not stored";
}

}  // namespace

void Recompute(const Ledger& ledger, LoopState* state, uint64_t last, const RecomputeVisit& visit) {
  const size_t outputs = state->options.outputs();
  const bool classification = state->options.classes > 0;
  Event event;
  Effects effects;
  ledger.ReadEvents(state->events + 1, last, [&](uint64_t number, std::string_view bytes) {
    DecodeEvent(bytes, outputs, classification, &event);
    Step(*state, {.event = event, .recompute = true}, &effects);
    return visit(number, event, effects);
  });
}

Recomputation RecomputeAll(const Ledger& ledger, const RecomputeVisit& visit) {
  Recomputation all;
  all.state = std::make_unique<LoopState>(OptionsOf(ledger));
  LoopState& state = *all.state;
  DecisionsByNumber made;
  int64_t first_predicted = kNoTime;
  std::map<uint64_t, int64_t> times;  // of rows, until the first one is scored
  bool scored = false;
  const uint64_t last = ledger.last_event();
  Recompute(ledger, &state, last, [&](uint64_t number, const Event& event, const Effects& effects) {
    for (const LoopDecision& decision : effects.decisions)
      made[static_cast<int64_t>(decision.number)] = {number, ToText(DecisionJson(state, decision))};
    if (!scored) {
      if (event.kind == EventKind::kRow && !event.history) {
        times[event.row] = event.time;
        if (first_predicted == kNoTime) first_predicted = event.time;
      }
      if (scored = state.served.rows() > 0; scored) {
        // Either this event's outcome was the first, or the window of the oldest row closed.
        const auto found = event.kind == EventKind::kOutcome ? times.find(event.row) : times.end();
        all.since = found == times.end() ? first_predicted : found->second;
        times.clear();
      }
    }
    return visit == nullptr || visit(number, event, effects);
  });
  all.difference = FirstDifference(ledger, last, std::move(made));
  return all;
}

}  // namespace everlearn
