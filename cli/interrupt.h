// Control-C: ends the process with status 130, at once, or where the command has asked for it, when it has tidied up.
#pragma once

namespace everlearn {

// Called once, before any command runs.
void HandleInterrupts();

// While one is alive, the first Control-C only makes Interrupted() true; the second ends the process at once.
class GracefulInterrupt {
 public:
  GracefulInterrupt();
  ~GracefulInterrupt();
  GracefulInterrupt(const GracefulInterrupt&) = delete;
  GracefulInterrupt& operator=(const GracefulInterrupt&) = delete;
};

bool Interrupted();
// Throws kInterrupted after a Control-C.
void ThrowIfInterrupted();

}  // namespace everlearn
