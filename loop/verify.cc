#include "loop/verify.h"

#include <map>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "ledger/sha256.h"
#include "loop/recompute.h"

namespace everlearn {
namespace {

class Checker {
 public:
  explicit Checker(const Ledger& ledger) : ledger_(ledger), notices_(ledger.Notices()) {
    // Those follow from the features of rows, which events do not hold.
    std::erase_if(notices_, [](const LedgerNotice& notice) {
      const Json body = ParseJson(notice.body, "a stored notice");
      return notice.kind == "drift" && TextField(Field(body, "detail"), "what") == "inputs";
    });
  }

  LedgerCheck Run() {
    ledger_.VerifyChain();
    const Recomputation all = RecomputeAll(ledger_, [&](uint64_t number, const Event& event, const Effects& effects) {
      if (event.kind == EventKind::kRow) CheckRow(number, event);
      else if (event.kind == EventKind::kModel && !event.hash.empty()) CheckModel(event.hash);
      else if (event.kind == EventKind::kOutcome || event.kind == EventKind::kKnown) CheckOutcome(number, event);
      else if (event.kind == EventKind::kCorrection) corrected_[event.row] = event.truth;
      CheckNotices(number, effects);
      return true;
    });
    CheckNoOtherRows();
    CheckCorrections();
    if (next_notice_ < notices_.size() && notices_[next_notice_].event <= all.state->events) NoSuchNotice(notices_[next_notice_]);
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

  // What beside the events says how a row turned out, against the event that brought it; a replay stores nothing there.
  void CheckOutcome(uint64_t number, const Event& event) {
    if (check_.bodies + check_.erased == 0) return;
    const auto outcome = ledger_.Outcome(event.row);
    if (!outcome || outcome->event != number)
      throw Error(ErrorKind::kDamaged, "the outcome of row " + std::to_string(event.row) + " is " +
                                           (outcome ? "stored as of another event than " : "missing, which was brought by event ") +
                                           std::to_string(number));
    if (outcome->truth != event.truth) differing_.insert(event.row);
  }

  void CheckCorrections() const {
    for (const uint64_t row : differing_)
      if (!corrected_.contains(row))
        throw Error(ErrorKind::kDamaged, "the outcome of row " + std::to_string(row) + " was changed without a correction");
    for (const auto& [row, truth] : corrected_)
      if (const auto outcome = ledger_.Outcome(row); !outcome || outcome->truth != truth)
        throw Error(ErrorKind::kDamaged, "the outcome of row " + std::to_string(row) + " is not what the last correction said");
  }

  // What `everlearn events` shows must follow from the events, one by one.
  void CheckNotices(uint64_t number, const Effects& effects) {
    for (const LoopNotice& notice : effects.notices) {
      const LedgerNotice* stored = next_notice_ < notices_.size() ? &notices_[next_notice_] : nullptr;
      if (stored == nullptr || stored->event != number || stored->kind != notice.kind)
        throw Error(ErrorKind::kDamaged,
                    "event " + std::to_string(number) + " brought about '" + notice.kind + "', which is not stored as such");
      ++next_notice_;
    }
    if (next_notice_ < notices_.size() && notices_[next_notice_].event <= number) NoSuchNotice(notices_[next_notice_]);
  }

  [[noreturn]] static void NoSuchNotice(const LedgerNotice& notice) {
    throw Error(ErrorKind::kDamaged, "the stored notice " + std::to_string(notice.number) + " ('" + notice.kind +
                                         "') does not follow from event " + std::to_string(notice.event));
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
  std::vector<LedgerNotice> notices_;
  size_t next_notice_ = 0;
  std::map<uint64_t, double> corrected_;  // by the last correction
  std::set<uint64_t> differing_;          // rows whose stored outcome is not the first
  std::set<std::string> models_;
};

}  // namespace

LedgerCheck CheckLedger(const Ledger& ledger) { return Checker(ledger).Run(); }

}  // namespace everlearn
