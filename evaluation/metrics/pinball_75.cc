// Pinball loss of the value that three quarters of the outcomes lie below.
#include "evaluation/pinball.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("pinball_75", PinballMetric("0.75"));

}  // namespace
}  // namespace everlearn
