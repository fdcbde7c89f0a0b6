// Pinball loss of the median: half the absolute error.
#include "evaluation/pinball.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("pinball", PinballMetric("0.5"));

}  // namespace
}  // namespace everlearn
