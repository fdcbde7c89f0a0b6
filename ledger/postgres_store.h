// The ledgers of several tasks in one schema of a PostgreSQL database (`?schema=NAME` in the address; "everlearn" where it names none).
//
// One writer: a session holds an advisory lock, which the server gives back when the session ends, however that comes about. A transaction
// is sent as a pipeline, so a commit costs one round trip. Where the connection is lost, everything since the last commit is taken back and
// each call throws kResource until Rollback() has found the server, and the lock, again. One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "data/postgres.h"
#include "ledger/sql_store.h"

namespace everlearn {

class PostgresStore : public SqlStore {
 public:
  // Throws as OpenLedgerStore says.
  PostgresStore(const std::string& url, const LedgerOptions& options);
  ~PostgresStore() override;

  const std::string& name() const override { return name_; }
  void Read(const char* sql, SqlValues values, const Visit& visit) const override;

  PostgresConnection& connection() const;  // throws kResource while it is lost

 private:
  void Run(const char* sql, SqlValues values) override;
  bool in_transaction() const override { return in_transaction_; }
  void CommitTransaction() override;
  void RollbackTransaction() noexcept override;
  void CheckConnection() override { connection().Wait(0); }
  void Connect();
  void Lock();
  void CheckIdentity();
  void CreateTables();

  std::string url_, schema_, name_;
  Durability durability_;
  std::unique_ptr<PostgresConnection> connection_;
  bool in_transaction_ = false;
  mutable bool failed_ = false;  // the transaction can only be rolled back
};

// A copy of all that is committed, as one moment had it, in a new SQLite file.
void CopyPostgresLedger(const std::string& from, const std::string& to);

}  // namespace everlearn
