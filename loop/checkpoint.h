// Checkpoints of a state in its ledger, whole or written piece by piece while the loop goes on; and the way back.
//
// A service cannot stop for as long as it takes to write megabytes of state and a hundred thousand waiting rows. Both lie in notes of the
// ledger, so many bytes a commit; the checkpoint that names them is stored when all are there. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
  // Writes about so many bytes; with the last of them the checkpoint is there. Only while busy().
  void Continue(LoopState* state, size_t bytes);

 private:
  void PutPart(uint32_t place, bool more, ByteWriter part);

  Ledger& ledger_;
  std::string state_;   // without rows
  size_t written_ = 0;  // bytes of it
  uint64_t event_ = 0;
  uint32_t parts_ = 0;
  std::optional<uint32_t> first_of_state_;  // its first part, when all rows are written
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
