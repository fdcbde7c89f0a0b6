// SQLite as the ledger uses it: a connection and its statements, with failures as Errors that name the file.
//
// A connection and its statements belong to one thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ledger/sql.h"

namespace everlearn {

class SqliteStatement : public SqlRow {
 public:
  // The next parameter. Texts and blobs must live until the statement has been stepped.
  SqliteStatement& Bind(const SqlValue& value);

  // True when there is a row to read. Throws as SqliteDatabase says.
  bool Step();
  // Makes the statement ready for new parameters.
  void Reset();

  int64_t Integer(int column) const override { return sqlite3_column_int64(statement_.get(), column); }
  double Number(int column) const override { return sqlite3_column_double(statement_.get(), column); }
  bool is_null(int column) const override { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  // Valid until the next Step() or Reset().
  std::string_view Bytes(int column) const override;

 private:
  friend class SqliteDatabase;
  SqliteStatement(const class SqliteDatabase* database, std::string_view sql);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  const SqliteDatabase* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

// Throws kResource (disk full, input/output error, locked by others), kPermission, kDamaged (not SQLite, corrupt, a table is missing).
class SqliteDatabase {
 public:
  // `flags` as of sqlite3_open_v2; `name` is what messages call the file. Nothing is read yet.
  SqliteDatabase(const std::string& path, int flags, std::string name);

  SqliteStatement Prepare(std::string_view sql) const { return SqliteStatement(this, sql); }
  void Execute(const char* sql) const;
  int64_t Integer(std::string_view sql) const;  // the first column of the first row
  bool in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }
  const std::string& name() const { return name_; }
  sqlite3* connection() const { return connection_.get(); }
  [[noreturn]] void Throw() const;  // the Error of the last failure

 private:
  friend class SqliteStatement;
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  std::unique_ptr<sqlite3, Close> connection_;
  std::string name_;
};

}  // namespace everlearn
