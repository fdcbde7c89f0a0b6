// The append-only record of a task's life: events with their predictions, models, decisions, checkpoints.
//
// The ledger keeps bytes and knows no loop: what an event means is said in loop/event.h. One writer thread at a time; another process may
// read a file ledger while it is written. What was committed survives kill -9 (Durability::kProcess) or a loss of power (kPower).
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
  uint64_t event = 0;
  std::string kind;
  std::string body;  // JSON, in the form of interface.md's events
};

struct LedgerCheckpoint {
  uint64_t event = 0;  // the state after this event
  std::string state;
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

  virtual void AddNotice(const LedgerNotice& notice) = 0;
  virtual void AddDecision(const LedgerDecision& decision) = 0;
  // Stores bytes under their hash; the same hash again is ignored.
  virtual void PutModel(const std::string& hash, const std::string& name, std::string_view bytes) = 0;
  // Keeps the newest two.
  virtual void PutCheckpoint(const LedgerCheckpoint& checkpoint) = 0;

  // Everything since the last commit becomes durable, at once or not at all. Throws kResource (disk full) or kPermission. After an error
  // here or in a call that adds, the ledger holds what was committed before, on disk and in this object: last_event() has gone back. (Where
  // a disk fails in the very last step of a commit and the process then dies too, the next one may find that commit whole.)
  virtual void Commit() = 0;

  // Committed and uncommitted events with numbers in [first, last], in order; `visit` returns false to stop.
  virtual void ReadEvents(uint64_t first, uint64_t last,
                          const std::function<bool(uint64_t number, std::string_view event)>& visit) const = 0;
  virtual std::vector<LedgerNotice> Notices() const = 0;
  virtual std::vector<LedgerDecision> Decisions() const = 0;
  virtual std::optional<std::string> Model(const std::string& hash) const = 0;
  virtual std::vector<LedgerCheckpoint> Checkpoints() const = 0;  // the newest first
};

struct LedgerOptions {
  Durability durability = Durability::kPower;
  bool read_only = false;  // for looking: never creates a file, never locks out the writer
};

// An SQLite file; empty path: a temporary ledger that is gone at the end (it spills to disk when large). Throws kNotFound (read_only, or no
// such folder), kPermission, kDamaged (not a ledger, or of a newer version), kResource (another process writes it).
std::unique_ptr<Ledger> OpenLedger(const std::string& path, const LedgerOptions& options);

}  // namespace everlearn
