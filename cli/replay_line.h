// The live line of a replay: rows and rows a second, the metric now and so far, the roster by what it weighs, alarms.
//
// One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/resources.h"
#include "loop/replay.h"

namespace everlearn {

class ReplayLine {
 public:
  void CountAlarm() { ++alarms_; }
  // What follows the number of rows. "Now" is since the last call.
  std::string Text(const ReplayProgress& progress);

 private:
  Stopwatch watch_;
  double seconds_ = 0, total_ = 0;  // at the last call; total: the metric's sum over rows
  uint64_t shown_rows_ = 0, scored_rows_ = 0, alarms_ = 0;
};

}  // namespace everlearn
