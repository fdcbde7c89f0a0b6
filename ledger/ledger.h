// The append-only record of a task's life: events with their predictions, models, decisions, checkpoints; and, where the task is served,
// the rows themselves, which alone can be removed again.
//
// The ledger keeps bytes and knows no loop: what an event means is said in loop/event.h. One writer thread at a time; another process may
// read a ledger while it is written. What was committed survives kill -9 of this process (Durability::kProcess) or a loss of power
// (kPower).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace everlearn {

enum class Durability { kPower, kProcess };

struct LedgerDecision {
  int64_t number = 0;  // 1, 2, …
  uint64_t event = 0;  // the event during whose step it was made
  std::string body;    // JSON
};

struct LedgerNotice {  // what `everlearn events` shows
  uint64_t number = 0;
  uint64_t event = 0;
  std::string kind;
  std::string body;  // JSON, in the form of interface.md's events
};

struct LedgerCheckpoint {
  uint64_t event = 0;  // the state after this event
  std::string state;
};

// A row as it came. The event that remembers its prediction holds a hash of `body`, so that the body can be erased and the record of events
// still be verified.
struct LedgerRow {
  uint64_t row = 0;
  uint64_t event = 0;
  uint64_t key = 0;  // hash of its key columns; 0: none
  std::string body;  // empty: erased
};

struct LedgerOutcome {
  uint64_t row = 0;
  uint64_t event = 0;  // the event that brought it first
  double truth = 0;    // class index or value; the latest, where it was corrected
};

struct LedgerOutcomes {
  uint64_t first_row = 0;
  uint64_t count = 0;
};

class Ledger {
 public:
  virtual ~Ledger() = default;

  // Small facts of the deployment (schema version, task, options, hash of the source, "finished").
  virtual void SetFact(const std::string& name, const std::string& value) = 0;
  virtual std::optional<std::string> Fact(const std::string& name) const = 0;

  // Appends one encoded event; its number is last_event() + 1. Buffered until Commit(); many events share one stored segment.
  virtual uint64_t Append(std::string_view event) = 0;
  virtual uint64_t last_event() const = 0;  // 0 where there is none

  virtual void AddNotice(const LedgerNotice& notice) = 0;  // numbers it: 1, 2, …
  virtual void AddDecision(const LedgerDecision& decision) = 0;
  // Stores bytes under their hash; the same hash again is ignored.
  virtual void PutModel(const std::string& hash, const std::string& name, std::string_view bytes) = 0;
  // Keeps the newest two.
  virtual void PutCheckpoint(const LedgerCheckpoint& checkpoint) = 0;

  // Rows and outcomes of a task that is served; numbers of rows are the caller's and ascend.
  virtual void PutRow(const LedgerRow& row) = 0;
  virtual void EraseRow(uint64_t row) = 0;
  virtual std::optional<LedgerRow> Row(uint64_t row) const = 0;
  virtual std::vector<uint64_t> RowsOfKey(uint64_t key) const = 0;  // ascending
  virtual void PutOutcome(const LedgerOutcome& outcome) = 0;        // replaces an earlier one of the row
  virtual std::optional<LedgerOutcome> Outcome(uint64_t row) const = 0;
  // Where the newest `most` rows with an outcome begin, and how many there are.
  virtual LedgerOutcomes NewestOutcomes(uint64_t most) const = 0;
  // Rows from `first` on with their outcomes (null: none), in order; `visit` returns false to stop. However long that takes, the ledger is
  // held on to only while some hundred rows are fetched at once, so that what its writer has logged can be tidied.
  virtual void ReadRows(uint64_t first, const std::function<bool(const LedgerRow& row, const double* truth)>& visit) const = 0;
  // Small values by name that come and go: outcomes that came before their row or before their time, answers to idempotent requests, how
  // far a source was read.
  virtual void PutNote(const std::string& name, int64_t time, std::string_view value) = 0;
  virtual std::optional<std::string> Note(const std::string& name) const = 0;
  // Those with names in [first, end), in the order of names; `visit` must not change notes.
  virtual void ReadNotes(const std::string& first, const std::string& end,
                         const std::function<void(const std::string& name, std::string_view value)>& visit) const = 0;
  virtual void DropNotes(const std::string& first, const std::string& end, int64_t before) = 0;  // names in [first, end), older ones

  // SHA-256 over all committed events and their order: each segment's hash includes that of the one before. Empty where there is no event.
  virtual std::string ChainHead() const = 0;
  // Recomputes the chain from the first event on; throws kDamaged naming the first event that does not fit.
  virtual void VerifyChain() const = 0;

  // Everything since the last commit becomes durable, at once or not at all. Throws kResource (disk full) or kPermission. After an error
  // here or in a call that adds, the ledger holds what was committed before, on disk and in this object: last_event() has gone back. (Where
  // a disk fails in the very last step of a commit and the process then dies too, the next one may find that commit whole; so may this
  // object, after Rollback(), where the connection to a database was lost in that step.) A database may tell of an error only in a later
  // call. While the connection is lost every call throws kResource until Rollback() has found the database again.
  virtual void Commit() = 0;

  // Committed and uncommitted events with numbers in [first, last], in order; `visit` returns false to stop.
  virtual void ReadEvents(uint64_t first, uint64_t last,
                          const std::function<bool(uint64_t number, std::string_view event)>& visit) const = 0;
  // With numbers above `after`, at most `most`.
  virtual std::vector<LedgerNotice> Notices(uint64_t after = 0, uint64_t most = UINT64_MAX) const = 0;
  virtual std::vector<LedgerDecision> Decisions() const = 0;
  virtual std::optional<std::string> Model(const std::string& hash) const = 0;
  virtual std::vector<LedgerCheckpoint> Checkpoints() const = 0;  // the newest first
};

struct LedgerOptions {
  Durability durability = Durability::kPower;
  bool read_only = false;      // for looking: never creates a file, never locks out the writer
  bool short_commits = false;  // what can be done beside a commit is done in another thread
};

// The ledgers of several tasks in one place, committed together.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;
  virtual std::vector<std::string> Tasks() const = 0;  // by name
  // Made where it is new; where the store is read only that throws kNotFound. It lives as long as the store.
  virtual Ledger& Open(const std::string& task) = 0;
  virtual void Commit() = 0;
  virtual void Rollback() noexcept = 0;  // everything since the last commit is taken back; a lost connection is sought again
};

// An SQLite file; empty path: a temporary one that is gone at the end (it spills to disk when large); postgresql://…: a schema of that
// database (`?schema=NAME`, else "everlearn"). Throws kNotFound (read_only; no such folder or database), kPermission, kDamaged (not a
// ledger, or of a newer version), kResource (another process writes it; no connection), kUsage (an address that cannot be read).
std::shared_ptr<LedgerStore> OpenLedgerStore(const std::string& path, const LedgerOptions& options);

// The ledger of one task. An empty `task` is the only one there is (kUsage where there are several), or, in a new store, one called "task".
std::shared_ptr<Ledger> OpenLedger(const std::string& path, const LedgerOptions& options, const std::string& task = "");

// A consistent copy, also while another process writes. Throws as OpenLedgerStore, and kUsage where `to` exists.
void BackupLedger(const std::string& from, const std::string& to);

}  // namespace everlearn
