// Worker processes: this program again, with a hidden command and open files that were handed to it.
//
// One thread starts them. A worker ends with its parent, and may crash without harm to it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace everlearn {

// The first descriptor that a worker was handed; the others follow it.
constexpr int kFirstHandedDescriptor = 3;

// Starts this program with `command`; it finds `descriptors` from kFirstHandedDescriptor on, in a process group of its own and with no
// signal blocked. Throws kResource.
pid_t StartWorker(const char* command, std::span<const int> descriptors);

// The first thing that a worker does: it will be killed with its parent. False where the parent was gone before.
bool BeWorkerOf(pid_t parent);

// From now on the caller gives way to others.
void LowerPriority();

// What the caller may allocate at most, from now on (0: no limit); beyond it std::bad_alloc is thrown.
void LimitMemory(uint64_t bytes);

}  // namespace everlearn
