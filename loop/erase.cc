#include "loop/erase.h"

#include <set>

#include "base/error.h"
#include "base/suggest.h"
#include "loop/checkpoint.h"
#include "loop/records.h"

namespace everlearn {
namespace {

constexpr size_t kSaltBytes = 16;  // before the JSON text of a body, so that its hash tells nothing once it is erased

bool Is(const Json& stored, const std::string& value) {
  if (stored.is_string()) return stored.get_string() == value;
  if (stored.is_double() && PlainNumber(stored.get_double()) == value) return true;
  return !stored.is_null() && !stored.is_structured() && ToText(stored) == value;
}

}  // namespace

std::vector<RowPlace> FindRows(const Ledger& ledger, const std::string& column, const std::string& value) {
  std::vector<RowPlace> found;
  std::set<std::string> columns;
  ledger.ReadRows(0, [&](const LedgerRow& row, const double*) {
    if (row.body.empty()) return true;
    const std::string name = "row " + std::to_string(row.row) + " of the ledger";
    if (row.body.size() < kSaltBytes) throw Error(ErrorKind::kDamaged, name + " is too short");
    const Json body = ParseJson(std::string_view(row.body).substr(kSaltBytes), name);
    if (!body.is_object()) throw Error(ErrorKind::kDamaged, name + " is no object");
    for (const auto& [key, cell] : body.get_object()) {
      columns.emplace(key);
      if (key == column && Is(cell, value)) found.push_back({row.row, row.event});
    }
    return true;
  });
  if (!columns.empty() && !columns.contains(column))
    throw Error(ErrorKind::kNotFound, "no stored row has a column '" + column + "'",
                SuggestionHint(column, {columns.begin(), columns.end()}));
  return found;
}

std::vector<RowPlace> AfterCheckpoint(const Ledger& ledger, const std::vector<RowPlace>& rows) {
  const std::vector<LedgerCheckpoint> checkpoints = ledger.Checkpoints();
  const uint64_t newest = checkpoints.empty() ? 0 : checkpoints.front().event;
  std::vector<RowPlace> after;
  for (const RowPlace& place : rows)
    if (place.event > newest) after.push_back(place);
  return after;
}

size_t EraseRows(Ledger& ledger, const std::vector<RowPlace>& rows) {
  size_t rewritten = 0;
  if (!rows.empty()) {
    const LoopOptions options = OptionsOf(ledger);
    for (const LedgerCheckpoint& checkpoint : ledger.Checkpoints()) {
      // With its models: what is saved again must be able to go on.
      const auto state = LoadCheckpoint(ledger, checkpoint, options, [&](const std::string& hash) { return StoredModel(ledger, hash); });
      bool changed = false;
      for (const RowPlace& place : rows) {
        PendingRow* waiting = state->pending.Find(place.row);
        if (waiting == nullptr) continue;
        waiting->features.assign(waiting->features.size(), kMissing);
        changed = true;
      }
      if (changed || state->rows_place() != LoopState::kWhole) ledger.PutCheckpoint({checkpoint.event, state->Save()});
      rewritten += changed;
    }
    DropCheckpointParts(ledger);  // also those of a checkpoint that was never finished
  }
  for (const RowPlace& place : rows) ledger.EraseRow(place.row);
  ledger.Commit();
  return rewritten;
}

}  // namespace everlearn
