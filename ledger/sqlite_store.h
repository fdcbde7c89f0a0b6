// One SQLite file that holds the ledgers of several tasks: connection, lock, transaction, statements that are kept prepared.
//
// While a writer is there the file is in WAL mode (readers and the writer do not wait for each other); a writer that ends well puts it back
// into one plain file, which can be read and copied without companions. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "ledger/file_lock.h"
#include "ledger/log_write_back.h"
#include "ledger/sql_store.h"
#include "ledger/sqlite.h"

namespace everlearn {

class SqliteStore : public SqlStore {
 public:
  SqliteStore(std::unique_ptr<FileLock> lock, std::unique_ptr<SqliteDatabase> database, bool read_only);
  ~SqliteStore() override;

  // Lets another thread copy the log back into the file.
  void WriteBackAside(const std::string& path, Durability durability) {
    write_back_ = std::make_unique<LogWriteBack>(*database_, path, durability == Durability::kProcess);
  }

  const std::string& name() const override { return database_->name(); }
  void Read(const char* sql, SqlValues values, const Visit& visit) const override;

 private:
  void Run(const char* sql, SqlValues values) override;
  bool in_transaction() const override { return database_->in_transaction(); }
  void CommitTransaction() override;
  void RollbackTransaction() noexcept override;
  // `sql` prepared and its parameters bound; out of the cache while it is used, as a visitor may run the same.
  SqliteStatement Take(const char* sql, SqlValues values) const;
  void GiveBack(const char* sql, SqliteStatement statement) const;

  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<SqliteDatabase> database_;  // closed before the lock is given back
  std::unique_ptr<LogWriteBack> write_back_;  // or null
  mutable std::map<const char*, SqliteStatement> prepared_;
};

// As OpenLedgerStore says of files.
std::shared_ptr<SqliteStore> OpenSqliteStore(const std::string& path, const LedgerOptions& options);

// An empty database becomes a ledger without tasks.
void CreateSqliteTables(const SqliteDatabase& database);

// A copy of the file `from` in `to`, which does not exist.
void CopySqliteLedger(const std::string& from, const std::string& to);

}  // namespace everlearn
