// The processes that run a search's pieces: each maps the data once, takes one piece at a time, and may crash or be ended at any moment.
//
// Belongs to one thread. Workers end with this process, or when the pool is destroyed.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "base/memory_file.h"
#include "search/piece.h"

namespace everlearn {

class WorkerPool {
 public:
  // `data`: written by WriteDataset. Nothing is started before there is work. Throws kResource.
  WorkerPool(const MemoryFile& data, SearchPlan plan, int workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int idle() const;
  int busy() const;
  // Needs idle() > 0. Throws kResource where no process can be started.
  void Start(const PieceRequest& request);
  // What has ended; waits at most `seconds` for the first. A worker that died gives a failed result, and its place is free again.
  std::vector<PieceResult> Wait(double seconds);
  // Ends the pieces that run; they give no result.
  void Abandon();
  // Memory of this process and its workers, shared pages counted once (proportional set size); 0 where the system does not say.
  uint64_t MemoryBytes() const;

 private:
  struct Worker;
  void Launch(Worker* worker);
  static void End(Worker* worker);
  PieceResult Died(Worker* worker);

  const MemoryFile& data_;
  MemoryFile plan_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// The main function of a worker process; returns its exit status.
int SearchWorkerMain();

}  // namespace everlearn
