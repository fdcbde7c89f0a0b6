// What a configuration says otherwise than the ledger of a task that goes on: what may change, and what must not.
//
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "cli/replay_input.h"
#include "data/task.h"
#include "loop/state.h"

namespace everlearn {

struct TaskChanges {
  JsonObject options;                 // for LiveTask::Configure
  std::vector<std::string> in_words;  // "autonomy is suggest, was act"
};

// Throws kUsage naming what cannot change: target, kind, metric, time, key, roster, parameters, lags, outcome window, missing outcome; and
// the error rate once pairs were numbered. What the configuration leaves open (kind, metric, time, key, roster) is as it was.
TaskChanges CompareTask(const std::string& name, const Task& task, const LoopState& state, const TaskFlags& flags, const LoopFlags& loop);

}  // namespace everlearn
