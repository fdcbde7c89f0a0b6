// Pinball loss of the value that one outcome of twenty lies below.
#include "evaluation/pinball.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("pinball_05", PinballMetric("0.05"));

}  // namespace
}  // namespace everlearn
