// Checkpoints of a state in its ledger, whole or written piece by piece while the loop goes on; and the way back.
//
// A service cannot stop for as long as it takes to write a hundred thousand waiting rows. Those lie in notes of the ledger, so many bytes a
// commit; the checkpoint that names them is stored when all are there. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ledger/ledger.h"
#include "loop/state.h"

namespace everlearn {

class CheckpointWriter {
 public:
  explicit CheckpointWriter(Ledger& ledger) : ledger_(ledger) {}

  bool busy() const { return event_ != 0; }
  void GiveUp() { event_ = 0; }
  // Of the state as it is now; nothing is written yet, and one that was under way is given up. There must have been an event.
  void Begin(LoopState* state);
  // Writes about so many bytes of rows; with the last of them the checkpoint is there. Only while busy().
  void Continue(LoopState* state, size_t bytes);

 private:
  Ledger& ledger_;
  std::string state_;  // without rows
  uint64_t event_ = 0;
  uint32_t parts_ = 0;
};

// The state of the newest checkpoint that is whole; the state before the first event where there is none. Models are fetched by hash, or
// left out where `model_of` is null.
std::unique_ptr<LoopState> RestoreState(const Ledger& ledger, const LoopOptions& options, const LoopState::ModelOf& model_of);

// The state of one checkpoint. Throws kDamaged.
std::unique_ptr<LoopState> LoadCheckpoint(const Ledger& ledger, const LedgerCheckpoint& checkpoint, const LoopOptions& options,
                                          const LoopState::ModelOf& model_of);

// Of all checkpoints; those that stay must be stored whole.
void DropCheckpointParts(Ledger& ledger);

}  // namespace everlearn
