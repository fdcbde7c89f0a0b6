// The self-running loop over history: rows in the order of time, each predicted before its outcome is known (test-then-train).
//
// The driver does what Step may not: it feeds events, writes the ledger, runs trainings, and resumes after a crash from checkpoint and
// tail.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/schema.h"
#include "data/task.h"
#include "ledger/ledger.h"
#include "loop/schedule.h"
#include "loop/state.h"
#include "loop/trainer.h"
#include "model/feature_space.h"

namespace everlearn {

struct ReplayInput {
  Task task;
  Schema schema;
  FeatureSpace space;
  std::vector<double> values;  // rows × features, in the order of time
  std::vector<double> target;  // NaN where there is none
  ScheduleInput schedule;
  size_t start = 0;  // rows of history before the first models

  EncodedRows Encoded() const;
};

struct ReplayProgress {
  uint64_t rows, all_rows;
  const LoopState* state;
};

struct ReplayOptions {
  LoopOptions loop;
  int threads = 1;
  bool keeps_ledger = false;                            // checkpoints are worth their time
  std::function<bool()> stop;                           // true: commit, then throw kInterrupted
  std::function<void(const ReplayProgress&)> progress;  // now and then
  std::function<void(const JsonObject&)> notice;        // each event as it happens
};

// Runs to the end of the input and returns interface.md's document without seconds and memory. A ledger that holds a part of the same
// replay is resumed; one that is finished gives its result again. Throws kUsage where the ledger belongs to another replay (naming the
// difference), kDamaged where its events cannot be reproduced.
JsonObject RunReplay(const ReplayInput& input, const ReplayOptions& options, Trainer& trainer, Ledger& ledger);

}  // namespace everlearn
