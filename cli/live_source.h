// From a source and flags to a task that `run` serves: its frame, its options, and the rows of its past.
#pragma once

#include <string>
#include <vector>

#include "cli/replay_input.h"
#include "loop/task_frame.h"

namespace everlearn {

class LiveSource {
 public:
  // Reads the whole source. Throws as ReadReplayInput.
  LiveSource(const std::string& source, const TaskFlags& task, const LoopFlags& loop, const CommonOptions& common,
             std::vector<SchemaWarning>* warnings);

  const TaskFrame& frame() const { return frame_; }
  const LoopOptions& options() const { return options_; }
  size_t rows() const { return order_.size(); }
  // In the order of time: the columns that may be known when a prediction is asked for, as they stood.
  JsonObject Row(size_t i) const;
  double Truth(size_t i) const { return target_[i]; }  // NaN: none

 private:
  TaskFrame frame_;
  LoopOptions options_;
  Table raw_;
  std::vector<double> target_;
  std::vector<uint32_t> order_;
};

}  // namespace everlearn
