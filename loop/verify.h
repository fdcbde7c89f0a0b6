// Whether a task's ledger is whole and true to itself: hash chain, bodies of rows, outcomes, models, decisions, notices.
#pragma once

#include <cstdint>
#include <string>

#include "ledger/ledger.h"

namespace everlearn {

struct LedgerCheck {
  uint64_t events = 0;
  uint64_t rows = 0;    // that arrived
  uint64_t bodies = 0;  // that are stored beside their event, and
  uint64_t erased = 0;  // were, but are erased
  uint64_t predictions = 0, outcomes = 0, models = 0, decisions = 0;
  std::string chain;  // hexadecimal
};

// Reads everything from the first event on. Throws kDamaged naming the first thing that is wrong.
LedgerCheck CheckLedger(const Ledger& ledger);

}  // namespace everlearn
