// posix_spawn of /proc/self/exe, and what a worker does to itself.
#include "base/worker_process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"

extern char** environ;

namespace everlearn {
namespace {

constexpr int kLowPriority = 10;

}  // namespace

pid_t StartWorker(const char* command, std::span<const int> descriptors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Through numbers above all of them first, so that no descriptor is overwritten before it was copied.
  const int count = static_cast<int>(descriptors.size());
  int above = kFirstHandedDescriptor + count;
  for (const int descriptor : descriptors) above = std::max(above, descriptor + 1);
  for (int i = 0; i < count; ++i) posix_spawn_file_actions_adddup2(&actions, descriptors[static_cast<size_t>(i)], above + i);
  for (int i = 0; i < count; ++i) posix_spawn_file_actions_adddup2(&actions, above + i, kFirstHandedDescriptor + i);
  for (int i = 0; i < count; ++i) posix_spawn_file_actions_addclose(&actions, above + i);
  char name[] = "everlearn";
  std::string copy = command;
  char* arguments[] = {name, copy.data(), nullptr};
  // A process group of its own: Control-C is for the parent, which decides what it means. Nor does it inherit which signals a service
  // waits for.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t process = 0;
  const int failed = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw Error(ErrorKind::kResource, std::string("a worker process could not be started: ") + std::strerror(failed));
  return process;
}

bool BeWorkerOf(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return getppid() == parent;  // else it was gone before PR_SET_PDEATHSIG took effect
}

void LowerPriority() { setpriority(PRIO_PROCESS, 0, kLowPriority); }

void LimitMemory(uint64_t bytes) {
  if (bytes == 0) return;
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace everlearn
