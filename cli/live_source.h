// From a source and flags to a task that `run` serves: its frame, its options, and the rows of its past.
#pragma once

#include <string>
#include <vector>

#include "cli/replay_input.h"
#include "data/growing_source.h"
#include "loop/task_frame.h"

namespace everlearn {

class LiveSource {
 public:
  // Reads all that the source has now; of standard input what comes until there are a thousand rows and then none for a second, or until
  // its end. Throws as TableReader::Open, TypeRows and OrderRows do, and kInput where there are no rows, or some that cannot be read.
  LiveSource(const std::string& source, GrowingSource& growing, const TaskFlags& task, const LoopFlags& loop, const CommonOptions& common,
             std::vector<SchemaWarning>* warnings);

  const TaskFrame& frame() const { return frame_; }
  const LoopOptions& options() const { return options_; }
  size_t rows() const { return order_.size(); }
  // Where the source was read to, and how many rows that were.
  const std::string& position() const { return position_; }
  size_t read() const { return read_; }
  // In the order of time: the columns that may be known when a prediction is asked for, as they stood.
  JsonObject Row(size_t i) const { return raw_.Row(order_[i]); }
  double Truth(size_t i) const { return target_[i]; }  // NaN: none

 private:
  TaskFrame frame_;
  LoopOptions options_;
  std::string position_;
  size_t read_ = 0;
  Table raw_;
  std::vector<double> target_;
  std::vector<uint32_t> order_;
};

}  // namespace everlearn
