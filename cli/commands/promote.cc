// everlearn promote: a person makes a member of a running service the champion.
#include "cli/wish.h"

namespace everlearn {
namespace {

[[maybe_unused]] const bool registered =
    Commands().Add("promote", WishCommand(56, "promote", "make a member of a running service the champion", true));

}  // namespace
}  // namespace everlearn
