// The contract of drift detectors: one number a row, and a word when its distribution has changed. One detector a file, which registers
// itself.
//
// A detector belongs to one thread and allocates nothing for a value once it is warm. Numbers that are not finite are passed over.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/registry.h"

namespace everlearn {

class DriftDetector {
 public:
  virtual ~DriftDetector() = default;
  // The next value. True: a change is noticed with it; the detector has then forgotten what its method says that it forgets.
  virtual bool Add(double value) = 0;
  // A change begins to show, where the method says so.
  virtual bool warning() const { return false; }
  // All that is needed to go on bit for bit. Load throws kDamaged.
  virtual void Save(ByteWriter* out) const = 0;
  virtual void Load(ByteReader* in) = 0;
};

struct DetectorInfo {
  std::string summary;  // one sentence: what it notices and when it is good
  std::string paper;
  bool errors_only = false;                                   // values are 0 (right) or 1 (wrong)
  double false_alarm_rows = 1000;                             // on steady data, at least so many rows lie between alarms, in the mean
  std::function<std::unique_ptr<DriftDetector>()> make = {};  // at its defaults
};

Registry<DetectorInfo>& Detectors();

}  // namespace everlearn
