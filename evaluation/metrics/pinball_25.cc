// Pinball loss of the value that a quarter of the outcomes lies below.
#include "evaluation/pinball.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("pinball_25", PinballMetric("0.25"));

}  // namespace
}  // namespace everlearn
