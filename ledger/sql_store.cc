#include "ledger/sql_store.h"

#include "base/error.h"
#include "ledger/sql_ledger.h"

namespace everlearn {

SqlStore::SqlStore(bool read_only) : read_only_(read_only) {}

SqlStore::~SqlStore() = default;

std::vector<std::string> SqlStore::Tasks() const {
  std::vector<std::string> names;
  Read("SELECT name FROM task ORDER BY name", {}, [&](const SqlRow& row) { return names.emplace_back(row.Bytes(0)), true; });
  return names;
}

Ledger& SqlStore::Open(const std::string& task) {
  if (const auto open = ledgers_.find(task); open != ledgers_.end()) return *open->second;
  const auto number = [&] {
    int64_t found = 0;
    Read("SELECT number FROM task WHERE name = $1", {std::string_view(task)},
         [&](const SqlRow& row) { return found = row.Integer(0), false; });
    return found;
  };
  int64_t found = number();
  if (found == 0) {
    if (read_only_) throw Error(ErrorKind::kNotFound, name() + " has no task '" + task + "'");
    const bool alone = !in_transaction();
    Write("INSERT INTO task SELECT coalesce(max(number), 0) + 1, $1 FROM task", {std::string_view(task)});
    if (alone) CommitTransaction();
    found = number();
  }
  constexpr int64_t kMostTasks = 1 << 18;
  if (found < 1 || found > kMostTasks) throw Error(ErrorKind::kDamaged, name() + " is damaged: a task's number is out of range");
  return *ledgers_.emplace(task, std::make_unique<SqlLedger>(*this, found)).first->second;
}

void SqlStore::Write(const char* sql, SqlValues values) {
  try {
    Run(sql, values);
  } catch (const Error&) {
    Rollback();
    throw;
  }
}

void SqlStore::Commit() {
  for (const auto& [task, ledger] : ledgers_) ledger->WriteSegment();
  if (!in_transaction()) return CheckConnection();
  try {
    CommitTransaction();
  } catch (const Error&) {
    Rollback();
    throw;
  }
  for (const auto& [task, ledger] : ledgers_) ledger->Committed();
}

void SqlStore::Rollback() noexcept {
  for (const auto& [task, ledger] : ledgers_) ledger->TakenBack();
  RollbackTransaction();
}

void SqlStore::ReloadLedgers() {
  for (const auto& [task, ledger] : ledgers_) ledger->Reload();
}

void CheckLedgerVersion(const std::string& name, int64_t version) {
  if (version > kLedgerVersion)
    throw Error(ErrorKind::kDamaged, name + " is of a newer version (" + std::to_string(version) + ") than this program reads",
                "update Everlearn");
}

}  // namespace everlearn
