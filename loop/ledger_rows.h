// The rows of a task that is served, with their outcomes, read from its ledger and encoded for a training.
#pragma once

#include <vector>

#include "ledger/ledger.h"
#include "loop/task_frame.h"
#include "loop/training.h"

namespace everlearn {

struct LedgerRows {
  size_t classes = 0;
  std::vector<bool> is_category;
  std::vector<double> values;  // rows × features, in the order of arrival
  std::vector<double> target;
  std::vector<uint64_t> numbers;  // ascending
  EncodedRows View() const;       // of this object, which must outlive it
};

// The newest `most` rows that have an outcome (later corrections included), but for those that were erased. Throws kDamaged.
LedgerRows ReadLedgerRows(const Ledger& ledger, const TaskFrame& frame, size_t most = 1'000'000);

// A row's body: 16 bytes of salt, so that the hash of an erased row gives nothing away, then the row as JSON text.
std::string MakeBody(std::string_view salt, std::string_view json_text);
constexpr size_t kSaltBytes = 16;
std::string NewSalt();
// From the system, not to be foreseen. Any thread.
uint64_t SystemRandomBits();
// Throws kDamaged.
JsonObject RowOfBody(std::string_view body);

}  // namespace everlearn
