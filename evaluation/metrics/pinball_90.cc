// Pinball loss of the value that nine outcomes of ten lie below.
#include "evaluation/pinball.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("pinball_90", PinballMetric("0.9"));

}  // namespace
}  // namespace everlearn
