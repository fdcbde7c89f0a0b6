// Pinball loss of the value that nineteen outcomes of twenty lie below.
#include "evaluation/pinball.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("pinball_95", PinballMetric("0.95"));

}  // namespace
}  // namespace everlearn
