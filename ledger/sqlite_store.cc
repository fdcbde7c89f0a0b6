#include "ledger/sqlite_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace everlearn {
namespace {

constexpr int64_t kApplicationId = 0x45764c67;  // "EvLg"

// Numbers of rows are the task's number × 2^44 + the number within the task, so that a task lies in one piece.
constexpr const char* kSchema = R"(
  CREATE TABLE task(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE fact(task INTEGER, name TEXT, value TEXT NOT NULL, PRIMARY KEY (task, name)) WITHOUT ROWID;
  CREATE TABLE segment(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, checksum INTEGER NOT NULL, chain BLOB NOT NULL, body BLOB NOT NULL);
  CREATE TABLE notice(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE decision(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE TABLE model(hash TEXT PRIMARY KEY, name TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE checkpoint(event INTEGER PRIMARY KEY, state BLOB NOT NULL);
  CREATE TABLE "row"(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, key INTEGER, body BLOB NOT NULL);
  CREATE INDEX row_key ON "row"(key) WHERE key IS NOT NULL;
  CREATE TABLE outcome(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, truth REAL NOT NULL);
  CREATE TABLE note(task INTEGER, name TEXT, time INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (task, name)) WITHOUT ROWID;
)";

// Refuses what SQLite would open but is no ledger of ours. `fresh`: an empty database is one to begin with.
void CheckIdentity(const SqliteDatabase& database, bool* fresh) {
  const int64_t id = database.Integer("PRAGMA application_id"), version = database.Integer("PRAGMA user_version");
  *fresh = id == 0 && version == 0 && database.Integer("SELECT count(*) FROM sqlite_schema") == 0;
  if (*fresh) return;
  if (id != kApplicationId) throw Error(ErrorKind::kDamaged, database.name() + " is a database, but not an Everlearn ledger");
  CheckLedgerVersion(database.name(), version);
}

std::shared_ptr<SqliteStore> OpenTemporary() {
  auto database = std::make_unique<SqliteDatabase>("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "the temporary ledger");
  database->Execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384");
  CreateSqliteTables(*database);
  return std::make_shared<SqliteStore>(nullptr, std::move(database), false);
}

std::shared_ptr<SqliteStore> OpenForWriting(const std::string& path, const LedgerOptions& options) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    throw Error(ErrorKind::kNotFound, "the ledger " + path + " cannot be made: there is no folder " + folder.string());
  }
  if (std::filesystem::exists(path) && access(path.c_str(), R_OK | W_OK) != 0) {
    throw Error(ErrorKind::kPermission, "no permission to write the ledger " + path);
  }
  auto lock = std::make_unique<FileLock>(path);
  auto database = std::make_unique<SqliteDatabase>(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path);
  database->Execute(options.durability == Durability::kPower ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  // All that one commit changes must fit, keys at random places included: what does not is written and read again in the middle of it.
  database->Execute("PRAGMA cache_size = -16384");
  database->Execute("PRAGMA secure_delete = ON");  // an erased row is overwritten, not only unlinked
  bool fresh = false;
  CheckIdentity(*database, &fresh);
  if (fresh) CreateSqliteTables(*database);
  if (SqliteStatement mode = database->Prepare("PRAGMA journal_mode = WAL"); !mode.Step() || mode.Bytes(0) != "wal") {
    throw Error(ErrorKind::kResource, path + " could not be opened for writing: other processes are reading it",
                "wait until they have finished");
  }
  auto store = std::make_shared<SqliteStore>(std::move(lock), std::move(database), false);
  if (options.short_commits) store->WriteBackAside(path, options.durability);
  return store;
}

// A URI that says the file will not change: the only way to read a WAL-mode file in a folder that cannot be written.
std::string ImmutableUri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

std::shared_ptr<SqliteStore> OpenForReading(const std::string& path) {
  if (!std::filesystem::exists(path)) throw Error(ErrorKind::kNotFound, "there is no ledger " + path);
  if (access(path.c_str(), R_OK) != 0) throw Error(ErrorKind::kPermission, "no permission to read the ledger " + path);
  const auto open = [&](const std::string& name, int flags) {
    auto database = std::make_unique<SqliteDatabase>(name, SQLITE_OPEN_READONLY | flags, path);
    bool fresh = false;
    CheckIdentity(*database, &fresh);
    if (fresh) throw Error(ErrorKind::kDamaged, path + " is empty, not an Everlearn ledger");
    return std::make_shared<SqliteStore>(nullptr, std::move(database), true);
  };
  try {
    return open(path, 0);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kPermission) throw;
    if (std::error_code ignored; std::filesystem::file_size(path + "-wal", ignored) > 0 && !ignored) {
      throw Error(ErrorKind::kPermission, path + " was not closed by its writer, and its folder cannot be written",
                  "copy it together with " + path + "-wal into another folder and read it there");
    }
    return open(ImmutableUri(path), SQLITE_OPEN_URI);
  }
}

}  // namespace

void CreateSqliteTables(const SqliteDatabase& database) {
  database.Execute("BEGIN IMMEDIATE");
  database.Execute(kSchema);
  database.Execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
  database.Execute(("PRAGMA user_version = " + std::to_string(kLedgerVersion)).c_str());
  database.Execute("COMMIT");
}

SqliteStore::SqliteStore(std::unique_ptr<FileLock> lock, std::unique_ptr<SqliteDatabase> database, bool read_only)
    : SqlStore(read_only), lock_(std::move(lock)), database_(std::move(database)) {}

SqliteStore::~SqliteStore() {
  if (!read_only()) Rollback();
  prepared_.clear();
  if (read_only()) return;
  write_back_ = nullptr;
  try {
    database_->Execute("PRAGMA journal_mode = DELETE");
  } catch (const Error&) {
    // A reader is looking, or the disk is full: the next writer tidies up.
  }
}

SqliteStatement SqliteStore::Take(const char* sql, SqlValues values) const {
  auto kept = prepared_.extract(sql);
  SqliteStatement statement = kept.empty() ? database_->Prepare(sql) : std::move(kept.mapped());
  for (const SqlValue& value : values) statement.Bind(value);
  return statement;
}

// A select that was not read to its end would hold on to its view of the file, and the log could never be written back.
void SqliteStore::GiveBack(const char* sql, SqliteStatement statement) const {
  statement.Reset();
  prepared_.insert_or_assign(sql, std::move(statement));
}

void SqliteStore::Read(const char* sql, SqlValues values, const Visit& visit) const {
  SqliteStatement statement = Take(sql, values);
  while (statement.Step() && visit(statement)) {
  }
  GiveBack(sql, std::move(statement));
}

void SqliteStore::Run(const char* sql, SqlValues values) {
  if (!database_->in_transaction()) database_->Execute("BEGIN IMMEDIATE");
  SqliteStatement statement = Take(sql, values);
  statement.Step();
  GiveBack(sql, std::move(statement));
}

void SqliteStore::CommitTransaction() {
  database_->Execute("COMMIT");
  if (write_back_ != nullptr) write_back_->AfterCommit();
}

void SqliteStore::RollbackTransaction() noexcept {
  try {
    if (database_->in_transaction()) database_->Execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has then rolled back by itself.
  }
}

std::shared_ptr<SqliteStore> OpenSqliteStore(const std::string& path, const LedgerOptions& options) {
  if (path.empty()) return OpenTemporary();
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kDamaged,
                path + (S_ISDIR(status.st_mode) ? " is a folder, not an Everlearn ledger" : " is not a file that can hold a ledger"));
  }
  return options.read_only ? OpenForReading(path) : OpenForWriting(path, options);
}

void CopySqliteLedger(const std::string& from, const std::string& to) {
  OpenSqliteStore(from, {.read_only = true})->Read("VACUUM INTO $1", {std::string_view(to)}, [](const SqlRow&) { return true; });
}

}  // namespace everlearn
