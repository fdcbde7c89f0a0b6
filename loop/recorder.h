// Takes events through Step and into the ledger, with the decisions, notices and models that follow. What `replay` and `run` share.
//
// One thread. After an Error of the ledger the state is ahead of it and must be restored.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ledger/ledger.h"
#include "loop/state.h"
#include "loop/step.h"
#include "loop/task_frame.h"
#include "loop/training.h"

namespace everlearn {

class Recorder {
 public:
  // `notice` (may be empty) is called with each notice's JSON and its kind.
  Recorder(LoopState& state, Ledger& ledger, std::function<void(const std::string& kind, const JsonObject&)> notice)
      : state_(state), ledger_(ledger), notice_(std::move(notice)) {}

  // Returns the event's number. Predictions that the step made are written into the event before it is stored.
  uint64_t Record(Event* event, std::shared_ptr<const Model> model = nullptr, bool given = false);
  // The end of a training: stores the model, then its event.
  uint64_t RecordModel(uint32_t request, int64_t time, const TrainingResult& result, const TaskFrame& frame);
  // For the events from now on: StepInput::ahead.
  void SetAhead(const LookAhead* ahead) { ahead_ = ahead; }
  // Of the last Record.
  const Effects& effects() const { return effects_; }

 private:
  LoopState& state_;
  Ledger& ledger_;
  const LookAhead* ahead_ = nullptr;
  std::function<void(const std::string&, const JsonObject&)> notice_;
  Effects effects_;
  std::string bytes_;
};

}  // namespace everlearn
