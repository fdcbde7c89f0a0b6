// From a source and flags to what the loop replays: typed, encoded, in the order of time.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/task_flags.h"
#include "loop/replay.h"

namespace everlearn {

// The loop's flags as texts, as they stand on the command line.
struct LoopFlags {
  std::string start = "0", delay, outcome_time, outcome_after, outcome_window, missing_outcome = "unknown", retrain = "auto", lags = "auto";
  std::string budget = "2000units", row_budget = "none";
  std::vector<std::string> roster, detectors;
  bool quick_roster = false;  // of a service
  std::string autonomy = "act";
  double error_rate = 0.05, minimum_gain = 0;
};

void AddLoopFlags(CLI::App& app, LoopFlags* flags);

// Options that follow from flags alone, checked before any data is read. Throws kUsage naming the flag.
LoopOptions ToLoopOptions(const LoopFlags& flags, const TaskFlags& task, uint64_t seed);

// What silence means, as the task's class or value. Throws kUsage.
void SetMissingOutcome(const std::string& text, const Task& task, LoopOptions* options);

// Reads the source and completes `options` by what only the data tells (classes, features, metric, the value of a missing outcome). Rows
// without a time are left out with a warning. Throws as ReadTable, InferSchema and MakeTask do.
ReplayInput ReadReplayInput(const std::string& source, const TaskFlags& task, const LoopFlags& flags, const CommonOptions& common,
                            LoopOptions* options, std::vector<SchemaWarning>* warnings);

}  // namespace everlearn
