// When and on what batch members are trained again, and what a new model is worth. Part of Step: deterministic, no I/O.
#pragma once

#include <vector>

#include "loop/state.h"
#include "loop/step.h"

namespace everlearn {

// Holds probabilities inside [ε, 1 − ε] where one row must not count for everything.
constexpr double kJudgedEpsilon = 1e-6;

// By the task's rule, now.
bool RetrainingIsDue(const LoopState& state);
// The schedule from now on.
void ScheduleRetraining(LoopState& state);
// Requests a training of each batch lineage that has none under way; `bank` may be empty.
void Retrain(LoopState& state, const std::vector<BankRow>& bank, Effects* effects);
// The loss of what is served, or of a member that matters, rose: a notice, and, where the rule is `auto`, a retraining. All alarms begin
// anew.
void OnLossAlarm(LoopState& state, uint32_t member, const LossAlarm& alarm, Effects* effects);
// Scores a lineage's new model on its evidence bank (predictions: rows × outputs): its pair with the champion may get its number, and the
// schedule slows down where the model is no better than the one before. Returns the comparisons for people.
JsonObject JudgeOnBank(LoopState& state, const TrainRequest& request, const std::vector<double>& predictions);

}  // namespace everlearn
