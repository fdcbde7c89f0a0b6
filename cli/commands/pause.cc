// everlearn pause: a person stops the trainings and decisions of a running service, which goes on to serve.
#include "cli/wish.h"

namespace everlearn {
namespace {

[[maybe_unused]] const bool registered =
    Commands().Add("pause", WishCommand(58, "pause", "stop trainings and decisions of a running service, which goes on to serve"));

}  // namespace
}  // namespace everlearn
