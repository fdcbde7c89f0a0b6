// Runs trainings beside the loop: in worker processes that may crash, or in this process (tests).
//
// One thread calls it; a training goes on in the background between Start and Wait.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "loop/training.h"

namespace everlearn {

class Trainer {
 public:
  virtual ~Trainer() = default;
  // `ticket` is new.
  virtual void Start(uint32_t ticket, const TrainingJob& job) = 0;
  // Whether Wait would return at once.
  virtual bool Ended(uint32_t ticket) = 0;
  // Ends it; its result is then a failure.
  virtual void Kill(uint32_t ticket) = 0;
  // Waits for the end, or until `stop` (may be empty) says true: then nothing is returned and the training goes on. A crash of the worker
  // is a failed result, not an exception. Once for each ticket that gave its result.
  virtual std::optional<TrainingResult> Wait(uint32_t ticket, const std::function<bool()>& stop) = 0;
};

// Trains at Wait, in this process.
std::unique_ptr<Trainer> MakeInlineTrainer(const EncodedRows& data);

struct WorkerOptions {
  uint64_t memory_bytes = 0;  // limit of a worker's memory; 0: none
};
// One process a training: this program again, with the hidden command `worker`. The data is copied once into memory that the workers map.
// Workers end with this process, run at low priority, and are killed when the trainer is destroyed. Throws kResource.
std::unique_ptr<Trainer> MakeProcessTrainer(const EncodedRows& data, const WorkerOptions& options);

// The same, but each worker reads the rows and outcomes that the ledger of a task holds when it starts (TrainingJob::frame says how they
// are encoded).
std::unique_ptr<Trainer> MakeLedgerTrainer(const std::string& ledger, const std::string& task, const WorkerOptions& options);

// The main function of a worker: reads the mapped data and the job, runs it, writes the result. Returns the exit status.
int WorkerMain();

}  // namespace everlearn
