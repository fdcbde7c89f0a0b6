// Pinball loss of the value that one outcome of ten lies below.
#include "evaluation/pinball.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("pinball_10", PinballMetric("0.1"));

}  // namespace
}  // namespace everlearn
