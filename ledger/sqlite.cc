// Connection and statements of SQLite; see sqlite.h.
#include "ledger/sqlite.h"

namespace everlearn {

SqliteStatement::SqliteStatement(const SqliteDatabase* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database->connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) database->Throw();
}

SqliteStatement& SqliteStatement::Bind(const SqlValue& value) {
  sqlite3_stmt* const statement = statement_.get();
  const int place = ++bound_;
  int code = SQLITE_OK;
  switch (value.kind) {
    case SqlValue::Kind::kNull:
      code = sqlite3_bind_null(statement, place);
      break;
    case SqlValue::Kind::kInteger:
      code = sqlite3_bind_int64(statement, place, value.integer);
      break;
    case SqlValue::Kind::kNumber:
      code = sqlite3_bind_double(statement, place, value.number);
      break;
    case SqlValue::Kind::kText:
      code = sqlite3_bind_text64(statement, place, value.bytes.data(), value.bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
      break;
    case SqlValue::Kind::kBlob:
      // A null pointer would be stored as NULL.
      code = sqlite3_bind_blob64(statement, place, value.bytes.empty() ? "" : value.bytes.data(), value.bytes.size(), SQLITE_STATIC);
      break;
  }
  if (code != SQLITE_OK) database_->Throw();
  return *this;
}

bool SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_->Throw();
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
}

std::string_view SqliteStatement::Bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

SqliteDatabase::SqliteDatabase(const std::string& path, int flags, std::string name) : name_(std::move(name)) {
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(connection);
  if (connection == nullptr) throw Error(ErrorKind::kResource, "no memory to open " + name_);
  sqlite3_extended_result_codes(connection, 1);
  if (code != SQLITE_OK) Throw();
  // The file may come from strangers: its schema must not run functions, and its cells are checked as they are read.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_busy_timeout(connection, 5000);
}

void SqliteDatabase::Execute(const char* sql) const {
  if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) Throw();
}

int64_t SqliteDatabase::Integer(std::string_view sql) const {
  SqliteStatement statement = Prepare(sql);
  return statement.Step() ? statement.Integer(0) : 0;
}

void SqliteDatabase::Throw() const {
  const std::string reason = sqlite3_errmsg(connection_.get());
  switch (sqlite3_errcode(connection_.get()) & 0xff) {
    case SQLITE_FULL:
      throw Error(ErrorKind::kResource, "the disk is full: " + name_ + " could not be written",
                  "free some space and run the same command again");
    case SQLITE_IOERR:
      throw Error(ErrorKind::kResource, name_ + " could not be read or written: " + reason, "check the disk and its free space");
    case SQLITE_NOMEM:
      throw Error(ErrorKind::kResource, "memory ran out while working on " + name_);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(ErrorKind::kResource, name_ + " is locked by another process", "wait until it has finished");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw Error(ErrorKind::kPermission, "no permission to write " + name_ + " or its folder");
    case SQLITE_CANTOPEN:
      throw Error(ErrorKind::kPermission, name_ + " cannot be opened", "check the permissions of the file and of its folder");
    case SQLITE_NOTADB:
      throw Error(ErrorKind::kDamaged, name_ + " is not an Everlearn ledger");
    case SQLITE_CORRUPT:
      throw Error(ErrorKind::kDamaged, name_ + " is damaged: " + reason);
    case SQLITE_ERROR:
      throw Error(ErrorKind::kDamaged, name_ + " is not a complete Everlearn ledger: " + reason);
    default:
      throw Error(ErrorKind::kInternal, name_ + ": " + reason);
  }
}

}  // namespace everlearn
