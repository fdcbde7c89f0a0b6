#include "ledger/postgres_store.h"

#include <chrono>
#include <thread>

#include "base/hash.h"
#include "data/duck.h"
#include "ledger/sqlite_store.h"

namespace everlearn {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A writer that was killed leaves its lock when its server process has seen so.
constexpr milliseconds kLockWait{2000}, kLockPause{20};

// The tables of sqlite_store.cc, with the same names and columns: what a column holds there, it holds here. Texts that others may have
// written are bytea, as a text here must be valid UTF-8; names compare byte by byte. Numbers in binary are not worth compressing.
constexpr const char* kTables = R"(
  CREATE TABLE ledger(version BIGINT NOT NULL);
  CREATE TABLE task(number BIGINT PRIMARY KEY, name TEXT COLLATE "C" NOT NULL UNIQUE);
  CREATE TABLE fact(task BIGINT, name TEXT COLLATE "C", value BYTEA NOT NULL, PRIMARY KEY (task, name));
  CREATE TABLE segment(first BIGINT PRIMARY KEY, count BIGINT NOT NULL, checksum BIGINT NOT NULL, chain BYTEA NOT NULL, body BYTEA NOT NULL);
  CREATE TABLE notice(number BIGINT PRIMARY KEY, event BIGINT NOT NULL, kind TEXT NOT NULL, body BYTEA NOT NULL);
  CREATE TABLE decision(number BIGINT PRIMARY KEY, event BIGINT NOT NULL, body BYTEA NOT NULL);
  CREATE TABLE model(hash TEXT COLLATE "C" PRIMARY KEY, name TEXT NOT NULL, bytes BYTEA NOT NULL);
  CREATE TABLE checkpoint(event BIGINT PRIMARY KEY, state BYTEA NOT NULL);
  CREATE TABLE "row"(number BIGINT PRIMARY KEY, event BIGINT NOT NULL, key BIGINT, body BYTEA NOT NULL);
  CREATE INDEX row_key ON "row"(key) WHERE key IS NOT NULL;
  CREATE TABLE outcome(number BIGINT PRIMARY KEY, event BIGINT NOT NULL, truth DOUBLE PRECISION NOT NULL);
  CREATE TABLE note(task BIGINT, name BYTEA, time BIGINT NOT NULL, value BYTEA NOT NULL, PRIMARY KEY (task, name));
  ALTER TABLE segment ALTER body SET STORAGE EXTERNAL;
  ALTER TABLE model ALTER bytes SET STORAGE EXTERNAL;
  ALTER TABLE checkpoint ALTER state SET STORAGE EXTERNAL;
)";

// For a copy: the columns of each table, i integer, n number, t text, b blob.
struct TableShape {
  const char* name;
  const char* columns;
};
constexpr TableShape kShapes[] = {{"task", "it"},   {"fact", "itt"},      {"segment", "iiibb"}, {"notice", "iitt"}, {"decision", "iit"},
                                  {"model", "ttb"}, {"checkpoint", "ib"}, {"\"row\"", "iiib"},  {"outcome", "iin"}, {"note", "itib"}};

class Row : public SqlRow {
 public:
  Row(const PostgresResult& result, int row) : result_(result), row_(row) {}
  int64_t Integer(int column) const override { return result_.Integer(row_, column); }
  double Number(int column) const override { return result_.Number(row_, column); }
  bool is_null(int column) const override { return result_.is_null(row_, column); }
  std::string_view Bytes(int column) const override { return result_.Bytes(row_, column); }

 private:
  const PostgresResult& result_;
  int row_;
};

PostgresValues ToPostgres(SqlValues values) {
  PostgresValues given;
  given.reserve(values.size());
  for (const SqlValue& value : values) {
    switch (value.kind) {
      case SqlValue::Kind::kNull:
        given.push_back(PostgresValue::Null());
        break;
      case SqlValue::Kind::kInteger:
        given.push_back(PostgresValue::Integer(value.integer));
        break;
      case SqlValue::Kind::kNumber:
        given.push_back(PostgresValue::Number(value.number));
        break;
      case SqlValue::Kind::kText:
      case SqlValue::Kind::kBlob:
        given.push_back(PostgresValue::Bytes(std::string(value.bytes)));
        break;
    }
  }
  return given;
}

}  // namespace

PostgresStore::PostgresStore(const std::string& url, const LedgerOptions& options)
    : SqlStore(options.read_only), url_(url), name_(ShownPlace(url)), durability_(options.durability) {
  schema_ = TakeUrlParameter(&url_, "schema");
  if (schema_.empty()) schema_ = "everlearn";
  Connect();
}

PostgresStore::~PostgresStore() = default;  // the server rolls back and unlocks

PostgresConnection& PostgresStore::connection() const {
  if (connection_ == nullptr) throw Error(ErrorKind::kResource, "the connection to " + name_ + " is lost");
  return *connection_;
}

void PostgresStore::Connect() {
  connection_ = nullptr;  // gives back the lock
  in_transaction_ = failed_ = false;
  auto connection = std::make_unique<PostgresConnection>(url_);
  connection->Execute("SET search_path TO " + SqlName(schema_));
  if (read_only()) {
    connection->Execute("SET default_transaction_read_only = on");
  } else {
    connection->Execute(durability_ == Durability::kPower ? "SET synchronous_commit = on" : "SET synchronous_commit = off");
    // The server must notice that this machine is gone, to give the lock to another.
    connection->Execute(
        "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 30000");
  }
  connection_ = std::move(connection);
  try {
    if (!read_only()) Lock();
    CheckIdentity();
  } catch (const Error&) {
    connection_ = nullptr;
    throw;
  }
}

void PostgresStore::Lock() {
  const PostgresValue key = PostgresValue::Integer(static_cast<int64_t>(HashBytes("everlearn ledger " + schema_)));
  const auto until = steady_clock::now() + kLockWait;
  while (connection_->Query("SELECT pg_try_advisory_lock($1)", {key}).Integer(0, 0) == 0) {
    if (steady_clock::now() >= until) {
      const PostgresResult holder = connection_->Query(
          "SELECT coalesce(a.application_name, '') FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid "
          "WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
          "AND (l.classid::bigint << 32 | l.objid::bigint) = $1",
          {key});
      const std::string who = holder.rows() > 0 ? " (" + std::string(holder.Bytes(0, 0)) + ")" : "";
      throw Error(ErrorKind::kResource, "the ledger " + name_ + " is being written by another process" + who,
                  "one process writes a ledger; end the other one, or name another ?schema=");
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

void PostgresStore::CheckIdentity() {
  const PostgresResult found = connection_->Query(
      "SELECT count(*), count(*) FILTER (WHERE c.relname = 'ledger') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
      "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
      {PostgresValue::Bytes(schema_)});
  if (found.Integer(0, 0) == 0) {
    if (read_only()) throw Error(ErrorKind::kNotFound, "there is no ledger in " + name_ + ": its schema '" + schema_ + "' has no tables");
    return CreateTables();
  }
  if (found.Integer(0, 1) == 0)
    throw Error(ErrorKind::kDamaged, name_ + ": the schema '" + schema_ + "' holds other tables, it is not an Everlearn ledger",
                "name another ?schema= in the address");
  const PostgresResult version = connection_->Query("SELECT version FROM " + SqlName(schema_) + ".ledger");
  if (version.rows() != 1) throw Error(ErrorKind::kDamaged, name_ + " is not a complete Everlearn ledger");
  CheckLedgerVersion(name_, version.Integer(0, 0));
}

void PostgresStore::CreateTables() {
  const bool exists = connection_->Query("SELECT 1 FROM pg_namespace WHERE nspname = $1", {PostgresValue::Bytes(schema_)}).rows() > 0;
  connection_->Execute("BEGIN;" + (exists ? "" : "CREATE SCHEMA " + SqlName(schema_) + ";") + kTables + "INSERT INTO ledger VALUES (" +
                       std::to_string(kLedgerVersion) + "); COMMIT");
}

void PostgresStore::Read(const char* sql, SqlValues values, const Visit& visit) const {
  PostgresResult result;
  try {
    result = connection().Fetch(sql, ToPostgres(values));
  } catch (const Error&) {
    failed_ = in_transaction_;
    throw;
  }
  for (int row = 0; row < result.rows(); ++row)
    if (!visit(Row(result, row))) return;
}

void PostgresStore::Run(const char* sql, SqlValues values) {
  if (!in_transaction_) connection().Queue("BEGIN", {});
  in_transaction_ = true;
  connection().Queue(sql, ToPostgres(values));
}

void PostgresStore::CommitTransaction() {
  if (failed_) throw Error(ErrorKind::kResource, name_ + ": nothing was committed, as an earlier statement failed");
  connection().Queue("COMMIT", {});
  connection().Flush();
  in_transaction_ = false;
}

void PostgresStore::RollbackTransaction() noexcept {
  try {
    if (connection_ != nullptr && !connection_->lost()) {
      if (!in_transaction_ && !failed_) return;
      try {
        connection_->Flush();
      } catch (const Error&) {
        // What had been queued fails, as it may: it is rolled back.
      }
      connection_->Execute("ROLLBACK");
      in_transaction_ = failed_ = false;
      return;
    }
  } catch (const Error&) {
  }
  try {
    Connect();
    ReloadLedgers();  // another may have written meanwhile, or the last commit came through without its answer
  } catch (const Error&) {
    connection_ = nullptr;
  }
}

void CopyPostgresLedger(const std::string& from, const std::string& to) {
  const PostgresStore store(from, {.read_only = true});
  PostgresConnection& source = store.connection();
  const SqliteDatabase copy(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, to);
  copy.Execute("PRAGMA journal_mode = OFF");  // a copy that does not come to its end is removed
  CreateSqliteTables(copy);
  source.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
  copy.Execute("BEGIN");
  for (const TableShape& table : kShapes) {
    const std::string_view columns = table.columns;
    std::string insert = std::string("INSERT INTO ") + table.name + " VALUES (?";
    for (size_t i = 1; i < columns.size(); ++i) insert += ", ?";
    SqliteStatement statement = copy.Prepare(insert + ")");
    source.Stream(std::string("SELECT * FROM ") + table.name, [&](const PostgresResult& result) {
      const Row row(result, 0);
      for (size_t i = 0; i < columns.size(); ++i) {
        const int column = static_cast<int>(i);
        if (row.is_null(column)) statement.Bind(SqlValue::Null());
        else if (columns[i] == 'i') statement.Bind(row.Integer(column));
        else if (columns[i] == 'n') statement.Bind(row.Number(column));
        else if (columns[i] == 't') statement.Bind(row.Bytes(column));
        else statement.Bind(SqlValue::Blob(row.Bytes(column)));
      }
      statement.Step();
      statement.Reset();
    });
  }
  copy.Execute("COMMIT");
}

}  // namespace everlearn
