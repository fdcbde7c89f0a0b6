// A task's ledger as a table: its predictions, its outcomes, or its events, in the file format of the name's ending.
#pragma once

#include <cstddef>
#include <string>

#include "ledger/ledger.h"

namespace everlearn {

// `what`: "predictions" (one row a served prediction: row, time, champion, model, prediction, probability_<label>, outcome, loss; outcome
// and loss as they were scored, missing where they were not), "outcomes" (event, row, time, kind, outcome, before) or "events" (row, time,
// kind, member, decision, detail). Returns the number of rows. Throws kUsage (another word), and what TableWriter throws.
size_t ExportLedger(const Ledger& ledger, const std::string& what, const std::string& path);

}  // namespace everlearn
