#include "drift/drift_detector.h"

namespace everlearn {

Registry<DetectorInfo>& Detectors() {
  static Registry<DetectorInfo> registry("drift detector");
  return registry;
}

}  // namespace everlearn
