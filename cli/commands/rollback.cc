// everlearn rollback: a person brings the former champion of a running service back.
#include "cli/wish.h"

namespace everlearn {
namespace {

[[maybe_unused]] const bool registered =
    Commands().Add("rollback", WishCommand(57, "rollback", "bring the former champion of a running service back"));

}  // namespace
}  // namespace everlearn
