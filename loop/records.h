// What the loop writes into a ledger besides events, and reads back: facts, notices, decisions; and the state that a ledger implies.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/task.h"
#include "ledger/ledger.h"
#include "loop/state.h"
#include "loop/step.h"

namespace everlearn {

// Names of facts.
inline constexpr const char* kTaskFact = "task";
inline constexpr const char* kOptionsFact = "loop_options";
inline constexpr const char* kReplayFact = "replay";      // what is replayed: hash of the source, start, delay
inline constexpr const char* kFinishedFact = "finished";  // the result of a replay that came to its end

// In the form of interface.md's events.
JsonObject NoticeJson(const LoopState& state, const LoopNotice& notice);
JsonObject DecisionJson(const LoopState& state, const LoopDecision& decision);

// Task and options of a ledger. Throws kDamaged where it holds none.
Task TaskOf(const Ledger& ledger);
LoopOptions OptionsOf(const Ledger& ledger);

// A model by its hash. Throws kDamaged where the ledger lacks it, or its bytes are others.
std::shared_ptr<const Model> StoredModel(const Ledger& ledger, const std::string& hash);

// The state after the ledger's last event, without models: enough for scores, evidence and roster.
std::unique_ptr<LoopState> StateOf(const Ledger& ledger);

// The numbers of a decision, and whether recomputing the whole evidence from the stored predictions and outcomes gives the same decision
// ("recomputed_equal"). Throws kNotFound where there is no such decision.
JsonObject ExplainDecision(const Ledger& ledger, int64_t number);

// The task's metric of what was served ([0]) and of each member ([its number]): from the running scores where they know it, else from the
// stored predictions and the outcomes as they were scored.
std::vector<double> MetricValues(const Ledger& ledger, const LoopState& state);

// The live state for people and scripts: champion, roster with scores and intervals, open tests, gain since day one. `values` is of
// MetricValues.
JsonObject StatusJson(const LoopState& state, const Task& task, const std::vector<double>& values);

// What a user of these options must know about the figures; one sentence each.
std::vector<std::string> LoopWarnings(const LoopOptions& options);
// Of rows that were given up (PendingRows::given_up).
std::string GivenUpWarning(uint64_t rows);

// Members in the form of interface.md's replay; `value_of` gives the ordering metric of a member where its running score does not.
JsonObject ScoreJson(const RunningScore& score, const BlockMeanSequence& loss, double value);
std::string_view RoleName(const Roster& roster, const Member& member);

}  // namespace everlearn
