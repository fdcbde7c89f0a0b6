// Drift detectors of the user's choice over the errors of what is served: each alarm is an event, and nothing else follows from it (what
// the loop does about a change, it does by loss_alarm.h).
//
// Of classes an error is 0 (right) or 1 (wrong). Of values it is e / (e + m), e the absolute error and m the mean of the first 100, so that
// detectors of bounded numbers can read it; detectors that only take right and wrong are refused. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "drift/drift_detector.h"

namespace everlearn {

class ErrorWatch {
 public:
  // Throws kUsage for a name that is no detector, or one that cannot watch this kind of task.
  ErrorWatch(const std::vector<std::string>& names, size_t classes);

  bool empty() const { return watchers_.empty(); }
  // `prediction`: a probability for each class, or a value. The names of detectors that raise an alarm with this outcome.
  std::vector<std::string> Add(const double* prediction, double truth);

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  struct Watcher {
    std::string name;
    std::unique_ptr<DriftDetector> detector;
  };
  static constexpr double kRowsOfScale = 100;

  size_t classes_;
  double rows_ = 0, mean_ = 0;  // of the first absolute errors
  std::vector<Watcher> watchers_;
};

}  // namespace everlearn
