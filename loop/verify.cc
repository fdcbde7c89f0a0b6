#include "loop/verify.h"

#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "ledger/sha256.h"
#include "loop/recompute.h"

namespace everlearn {
namespace {

class Checker {
 public:
  explicit Checker(const Ledger& ledger) : ledger_(ledger) {}

  LedgerCheck Run() {
    ledger_.VerifyChain();
    const Recomputation all = RecomputeAll(ledger_, [&](uint64_t number, const Event& event, const Effects&) {
      if (event.kind == EventKind::kRow) CheckRow(number, event);
      else if (event.kind == EventKind::kModel && !event.hash.empty()) CheckModel(event.hash);
      return true;
    });
    CheckNoOtherRows();
    if (!all.difference.empty()) throw Error(ErrorKind::kDamaged, all.difference);
    check_.events = all.state->events;
    check_.rows = all.state->pending.next_row();
    check_.predictions = all.state->predicted;
    check_.outcomes = all.state->outcomes;
    check_.decisions = all.state->decisions;
    check_.models = models_.size();
    check_.chain = HexText(ledger_.ChainHead());
    return check_;
  }

 private:
  // What the event remembers of the row against what lies beside it; rows of a replay have nothing there.
  void CheckRow(uint64_t number, const Event& event) {
    if (event.row_hash.empty()) return;
    const std::string name = "row " + std::to_string(event.row);
    const auto row = ledger_.Row(event.row);
    if (!row) throw Error(ErrorKind::kDamaged, name + " is missing: its event has a hash of what is not there");
    if (row->event != number)
      throw Error(ErrorKind::kDamaged,
                  name + " is stored as of event " + std::to_string(row->event) + ", but event " + std::to_string(number) + " brought it");
    ++(row->body.empty() ? check_.erased : check_.bodies);
    if (!row->body.empty() && Sha256({row->body}) != event.row_hash)
      throw Error(ErrorKind::kDamaged,
                  name + " is not what was predicted: its hash differs from the one in event " + std::to_string(number));
  }

  void CheckModel(const std::string& hash) {
    if (!models_.insert(hash).second) return;
    const auto bytes = ledger_.Model(hash);
    if (!bytes) throw Error(ErrorKind::kDamaged, "the model " + hash + " is missing");
    if (HashText(HashBytes(*bytes)) != hash)
      throw Error(ErrorKind::kDamaged, "the model " + hash + " is damaged: its bytes have another hash");
  }

  // Rows beside the events that no event speaks of; those of events that came while this was read are not looked at.
  void CheckNoOtherRows() const {
    uint64_t stored = 0;
    ledger_.ReadRows(0, [&](const LedgerRow& row, const double*) {
      if (row.event > ledger_.last_event()) return false;
      if (++stored > check_.bodies + check_.erased)
        throw Error(ErrorKind::kDamaged, "there are rows that no event brought, up to row " + std::to_string(row.row));
      return true;
    });
  }

  const Ledger& ledger_;
  LedgerCheck check_;
  std::set<std::string> models_;
};

}  // namespace

LedgerCheck CheckLedger(const Ledger& ledger) { return Checker(ledger).Run(); }

}  // namespace everlearn
