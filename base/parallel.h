// Runs independent pieces of work on several threads (oneTBB), with results that do not depend on their number.
#pragma once

#include <cstddef>
#include <functional>

namespace everlearn {

// Calls work(i) for i in [0, count), on at most `threads` threads (0: all cores). The first exception is thrown again here
// after running pieces have ended. Pieces must not depend on each other's order.
void ParallelFor(size_t count, int threads, const std::function<void(size_t)>& work);

int AvailableThreads();

}  // namespace everlearn
