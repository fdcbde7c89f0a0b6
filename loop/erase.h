// Takes a person's rows out of a task's ledger: what came with them goes, what was predicted for them and lost on them stays.
//
// A row's features lie in two places: its body, and, while it waits for its outcome, encoded in the checkpoints. Both are emptied. Models
// that learnt from the row stay as they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ledger/ledger.h"

namespace everlearn {

struct RowPlace {
  uint64_t row = 0;
  uint64_t event = 0;
};

// Rows whose stored body has this column with this value (numbers as JSON writes them, true, false). Throws kNotFound where rows are stored
// but none has such a column.
std::vector<RowPlace> FindRows(const Ledger& ledger, const std::string& column, const std::string& value);

// Those that came after the newest checkpoint: a restart reads their bodies once more, to learn from them.
std::vector<RowPlace> AfterCheckpoint(const Ledger& ledger, const std::vector<RowPlace>& rows);

// Erases, and commits all at once. Returns how many checkpoints were rewritten; throws kDamaged where one cannot be read.
size_t EraseRows(Ledger& ledger, const std::vector<RowPlace>& rows);

}  // namespace everlearn
