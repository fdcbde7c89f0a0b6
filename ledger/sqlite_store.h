// One SQLite file that holds the ledgers of several tasks: connection, lock, transaction, statements that are kept prepared.
//
// While a writer is there the file is in WAL mode (readers and the writer do not wait for each other); a writer that ends well puts it back
// into one plain file, which can be read and copied without companions. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ledger/file_lock.h"
#include "ledger/ledger.h"
#include "ledger/log_write_back.h"
#include "ledger/sqlite.h"

namespace everlearn {

class SqliteLedger;

class SqliteStore : public LedgerStore {
 public:
  SqliteStore(std::unique_ptr<FileLock> lock, std::unique_ptr<SqliteDatabase> database, bool read_only);
  ~SqliteStore() override;

  std::vector<std::string> Tasks() const override;
  Ledger& Open(const std::string& task) override;
  void Commit() override;

  // Lets another thread copy the log back into the file.
  void WriteBackAside(const std::string& path, Durability durability) {
    write_back_ = std::make_unique<LogWriteBack>(*database_, path, durability == Durability::kProcess);
  }

  const SqliteDatabase& database() const { return *database_; }
  // A statement that is prepared once; `sql` is a literal.
  SqliteStatement& Prepared(const char* sql) const;
  // Begins the transaction, where none is open, and runs one statement. A failure takes everything since the last commit back, so that what
  // is here and what is on disk stay equal.
  template <typename BindAll>
  void Write(const char* sql, const BindAll& bind) {
    try {
      if (!database_->in_transaction()) database_->Execute("BEGIN IMMEDIATE");
      SqliteStatement& statement = Prepared(sql);
      bind(statement);
      statement.Step();
      statement.Reset();
    } catch (const Error&) {
      Rollback();
      throw;
    }
  }
  void Rollback() noexcept override;

 private:
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<SqliteDatabase> database_;  // closed before the lock is given back
  std::unique_ptr<LogWriteBack> write_back_;  // or null
  bool read_only_;
  mutable std::map<const char*, SqliteStatement> prepared_;
  std::map<std::string, std::unique_ptr<SqliteLedger>> ledgers_;
};

}  // namespace everlearn
