#include "base/parallel.h"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <optional>

namespace everlearn {

int AvailableThreads() { return std::max(1, tbb::this_task_arena::max_concurrency()); }

void ParallelFor(size_t count, int threads, const std::function<void(size_t)>& work) {
  const int workers = threads <= 0 ? AvailableThreads() : threads;
  if (workers == 1 || count <= 1) {
    for (size_t i = 0; i < count; ++i) work(i);
    return;
  }
  // More threads than cores must be allowed first; oneTBB would print a warning.
  std::optional<tbb::global_control> allowance;
  if (workers > tbb::info::default_concurrency())
    allowance.emplace(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(workers));
  tbb::task_arena arena(workers);
  arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<size_t>(0, count, 1),
        [&](const tbb::blocked_range<size_t>& range) {
          for (size_t i = range.begin(); i < range.end(); ++i) work(i);
        },
        tbb::simple_partitioner());
  });
}

}  // namespace everlearn
