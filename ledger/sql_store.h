// What the ledger's databases have in common: the tables, the tasks in them, and the order of a commit. A database adds its connection.
//
// Statements are literals that both databases read: parameters are $1, $2, … in the order in which they first appear. One thread at a
// time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/sql.h"

namespace everlearn {

class SqlLedger;

class SqlStore : public LedgerStore {
 public:
  using Visit = std::function<bool(const SqlRow& row)>;  // false: enough

  SqlStore(const SqlStore&) = delete;
  SqlStore& operator=(const SqlStore&) = delete;
  ~SqlStore() override;

  std::vector<std::string> Tasks() const override;
  Ledger& Open(const std::string& task) override;
  void Commit() override;
  void Rollback() noexcept override;

  virtual const std::string& name() const = 0;  // as messages call it
  // One statement inside the transaction, which begins where none is open. A failure takes everything since the last commit back, so that
  // what is here and what is stored stay equal; a database may tell it only in a later call.
  void Write(const char* sql, SqlValues values);
  // The rows of a query, which sees what was written. Results are small: what may be large is asked for in pages.
  virtual void Read(const char* sql, SqlValues values, const Visit& visit) const = 0;

 protected:
  explicit SqlStore(bool read_only);

  bool read_only() const { return read_only_; }
  void ReloadLedgers();  // where the database may hold something else than this object last saw

 private:
  virtual void Run(const char* sql, SqlValues values) = 0;
  virtual bool in_transaction() const = 0;
  virtual void CommitTransaction() = 0;
  virtual void RollbackTransaction() noexcept = 0;
  virtual void CheckConnection() {}  // throws kResource where it is known to be lost, so that it is noticed before it is needed

  bool read_only_;
  std::map<std::string, std::unique_ptr<SqlLedger>> ledgers_;
};

constexpr int64_t kLedgerVersion = 1;
// Throws kDamaged where the ledger `name` is of a newer version than this program.
void CheckLedgerVersion(const std::string& name, int64_t version);

}  // namespace everlearn
