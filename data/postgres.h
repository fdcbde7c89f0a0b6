// A connection to PostgreSQL through libpq: statements with parameters, many in one round trip, COPY out, notifications.
//
// libpq is loaded at the first use, so that programs that never need it start as fast without. A connection belongs to one thread at a
// time. Every function throws Error: kNotFound (no such database, schema or table), kPermission (refused), kInput (wrong SQL or data),
// kDamaged (the server found its files damaged), kResource (the server cannot be reached, went away or has no room, or libpq is not
// installed). No message holds a password.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct pg_conn;  // libpq's own
struct pg_result;

namespace everlearn {

// Whether a text begins as postgresql:// or postgres://.
bool IsPostgresUrl(std::string_view text);

// A place as messages may show it: a postgresql:// address with *** for passwords, any other text as it is.
std::string ShownPlace(const std::string& place);

// Takes NAME=VALUE out of the query of a URL, which libpq would refuse; empty where it is not there.
std::string TakeUrlParameter(std::string* url, std::string_view name);

// A parameter of a statement in PostgreSQL's binary form; its type is what the statement makes of it.
class PostgresValue {
 public:
  static PostgresValue Null();
  static PostgresValue Integer(int64_t value);    // bigint
  static PostgresValue Number(double value);      // double precision
  static PostgresValue Bytes(std::string value);  // text or bytea
  const std::string& bytes() const { return bytes_; }
  bool is_null() const { return null_; }

 private:
  std::string bytes_;
  bool null_ = false;
};
using PostgresValues = std::vector<PostgresValue>;

// A big-endian integer of 1, 2, 4 or 8 bytes; 0 of none.
int64_t PostgresInteger(std::string_view bytes);

// The rows of a statement.
class PostgresResult {
 public:
  explicit PostgresResult(pg_result* result = nullptr) : result_(result) {}
  int rows() const;
  int columns() const;
  std::string name(int column) const;
  uint32_t type(int column) const;  // its oid
  bool is_null(int row, int column) const;
  int64_t Integer(int row, int column) const;         // of smallint, integer, bigint, oid and boolean; 0 where null
  double Number(int row, int column) const;           // of double precision; 0 where null
  std::string_view Bytes(int row, int column) const;  // of text and bytea; lives as long as the result
  const pg_result* raw() const { return result_.get(); }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

class PostgresConnection {
 public:
  // What the address leaves open comes from libpq's own places: PGPASSWORD, ~/.pgpass, PGHOST …
  explicit PostgresConnection(const std::string& url);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  const std::string& name() const { return name_; }  // of the database, as messages show it

  // One or more statements without parameters and without an interest in rows.
  void Execute(const std::string& sql);
  // One statement and its rows, all in memory.
  PostgresResult Query(const std::string& sql, const PostgresValues& values = {});
  // The same row by row, for results of any size; the connection can do nothing else meanwhile. `visit` gets results of one row each.
  void Stream(const std::string& sql, const std::function<void(const PostgresResult&)>& visit);
  // Columns of a query that is not run; a result without rows.
  PostgresResult Describe(const std::string& sql);

  // Statements that are prepared once, each `sql` being a literal that lives as long as the connection. What is queued is on its way, but
  // whether it failed is only known from the next Flush() or Fetch(); after a failure the transaction must be rolled back.
  void Queue(const char* sql, const PostgresValues& values);
  void Flush();
  PostgresResult Fetch(const char* sql, const PostgresValues& values);  // in one round trip with what is queued

  // COPY … TO STDOUT: begins it; then pieces of its stream, false at the end. A piece lives until the next call.
  void BeginCopy(const std::string& sql);
  bool NextCopy(std::string_view* piece);

  // Notifications of a channel (see NOTIFY); Wait() is true where one came, also before it was called, false after the time.
  void Listen(const std::string& channel);
  bool Wait(int milliseconds);

  // Whether the server has closed the connection, as far as this side can know without asking.
  bool lost();

 private:
  void Send(const char* sql, const PostgresValues& values);
  PostgresResult Collect(bool keep_last);
  PostgresResult Checked(pg_result* result);  // throws where it is an error
  [[noreturn]] void ThrowResult(const pg_result* result);
  [[noreturn]] void ThrowLost();

  std::string name_;
  pg_conn* connection_ = nullptr;
  std::map<const char*, std::string> prepared_;  // by literal
  uint64_t prepared_count_ = 0;
  size_t queued_ = 0, queued_bytes_ = 0;  // since the last synchronisation
  char* copied_ = nullptr;
};

}  // namespace everlearn
