// A task without a past: its columns are declared, its rows come by HTTP.
//
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "cli/replay_input.h"
#include "loop/task_frame.h"

namespace everlearn {

// Frame and options of a task whose columns are those that `task.types` names; it learns from the first row on. Throws kUsage naming what
// is not declared: columns, the kind, the labels of a classification, the time and key columns.
TaskFrame DeclareTask(const std::string& name, const TaskFlags& task, const std::vector<std::string>& labels, const LoopFlags& loop,
                      LoopOptions* options);

}  // namespace everlearn
