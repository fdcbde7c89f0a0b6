// everlearn resume: a person lets a paused service train and decide again.
#include "cli/wish.h"

namespace everlearn {
namespace {

[[maybe_unused]] const bool registered = Commands().Add("resume", WishCommand(59, "resume", "let a paused service train and decide again"));

}  // namespace
}  // namespace everlearn
