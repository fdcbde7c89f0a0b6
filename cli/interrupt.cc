#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr int kExitInterrupted = 130;
std::atomic<int> graceful = 0;
std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free, "used in a signal handler");

void OnInterrupt(int) {
  if (graceful == 0 || interrupted.exchange(true)) _exit(kExitInterrupted);
}

}  // namespace

void HandleInterrupts() {
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
}

GracefulInterrupt::GracefulInterrupt() { ++graceful; }
GracefulInterrupt::~GracefulInterrupt() { --graceful; }

bool Interrupted() { return interrupted; }

void ThrowIfInterrupted() {
  if (interrupted) throw Error(ErrorKind::kInterrupted, "interrupted");
}

}  // namespace everlearn
