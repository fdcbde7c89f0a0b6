#include "ledger/sqlite_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "ledger/sqlite_ledger.h"

namespace everlearn {
namespace {

constexpr int64_t kApplicationId = 0x45764c67;  // "EvLg"
constexpr int64_t kVersion = 1;
constexpr const char* kFirstTask = "task";  // in a new file where no name is given

// Numbers of rows are the task's number × 2^44 + the number within the task, so that a task lies in one piece.
constexpr const char* kSchema = R"(
  CREATE TABLE task(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE fact(task INTEGER, name TEXT, value TEXT NOT NULL, PRIMARY KEY (task, name)) WITHOUT ROWID;
  CREATE TABLE segment(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, checksum INTEGER NOT NULL, chain BLOB NOT NULL, body BLOB NOT NULL);
  CREATE TABLE notice(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE decision(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE TABLE model(hash TEXT PRIMARY KEY, name TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE checkpoint(event INTEGER PRIMARY KEY, state BLOB NOT NULL);
  CREATE TABLE row(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, key INTEGER, body BLOB NOT NULL);
  CREATE INDEX row_key ON row(key) WHERE key IS NOT NULL;
  CREATE TABLE outcome(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, truth REAL NOT NULL);
  CREATE TABLE note(task INTEGER, name TEXT, time INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (task, name)) WITHOUT ROWID;
)";

// Refuses what SQLite would open but is no ledger of ours. `fresh`: an empty database is one to begin with.
void CheckIdentity(const SqliteDatabase& database, bool* fresh) {
  const int64_t id = database.Integer("PRAGMA application_id"), version = database.Integer("PRAGMA user_version");
  *fresh = id == 0 && version == 0 && database.Integer("SELECT count(*) FROM sqlite_schema") == 0;
  if (*fresh) return;
  if (id != kApplicationId) throw Error(ErrorKind::kDamaged, database.name() + " is a database, but not an Everlearn ledger");
  if (version > kVersion) {
    throw Error(ErrorKind::kDamaged, database.name() + " is of a newer version (" + std::to_string(version) + ") than this program reads",
                "update Everlearn");
  }
}

void CreateTables(const SqliteDatabase& database) {
  database.Execute("BEGIN IMMEDIATE");
  database.Execute(kSchema);
  database.Execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
  database.Execute(("PRAGMA user_version = " + std::to_string(kVersion)).c_str());
  database.Execute("COMMIT");
}

std::shared_ptr<LedgerStore> OpenTemporary() {
  auto database = std::make_unique<SqliteDatabase>("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "the temporary ledger");
  database->Execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384");
  CreateTables(*database);
  return std::make_shared<SqliteStore>(nullptr, std::move(database), false);
}

std::shared_ptr<LedgerStore> OpenForWriting(const std::string& path, const LedgerOptions& options) {
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
  database->Execute("PRAGMA secure_delete = ON");  // an erased row is overwritten, not only unlinked
  bool fresh = false;
  CheckIdentity(*database, &fresh);
  if (fresh) CreateTables(*database);
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

std::shared_ptr<LedgerStore> OpenForReading(const std::string& path) {
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

SqliteStore::SqliteStore(std::unique_ptr<FileLock> lock, std::unique_ptr<SqliteDatabase> database, bool read_only)
    : lock_(std::move(lock)), database_(std::move(database)), read_only_(read_only) {}

SqliteStore::~SqliteStore() {
  if (!read_only_) Rollback();
  prepared_.clear();
  if (read_only_) return;
  write_back_ = nullptr;
  try {
    database_->Execute("PRAGMA journal_mode = DELETE");
  } catch (const Error&) {
    // A reader is looking, or the disk is full: the next writer tidies up.
  }
}

SqliteStatement& SqliteStore::Prepared(const char* sql) const {
  auto found = prepared_.find(sql);
  if (found == prepared_.end()) found = prepared_.emplace(sql, database_->Prepare(sql)).first;
  found->second.Reset();
  return found->second;
}

std::vector<std::string> SqliteStore::Tasks() const {
  std::vector<std::string> names;
  SqliteStatement select = database_->Prepare("SELECT name FROM task ORDER BY name");
  while (select.Step()) names.emplace_back(select.Bytes(0));
  return names;
}

Ledger& SqliteStore::Open(const std::string& task) {
  if (const auto open = ledgers_.find(task); open != ledgers_.end()) return *open->second;
  const auto number = [&]() -> int64_t {
    SqliteStatement select = database_->Prepare("SELECT number FROM task WHERE name = ?");
    return select.Bind(task).Step() ? select.Integer(0) : 0;
  };
  int64_t found = number();
  if (found == 0) {
    if (read_only_) throw Error(ErrorKind::kNotFound, database_->name() + " has no task '" + task + "'");
    const bool alone = !database_->in_transaction();
    Write("INSERT INTO task(name) VALUES (?)", [&](SqliteStatement& insert) { insert.Bind(task); });
    if (alone) database_->Execute("COMMIT");
    found = number();
  }
  constexpr int64_t kMostTasks = 1 << 18;
  if (found < 1 || found > kMostTasks) throw Error(ErrorKind::kDamaged, database_->name() + " is damaged: a task's number is out of range");
  return *ledgers_.emplace(task, std::make_unique<SqliteLedger>(*this, found)).first->second;
}

void SqliteStore::Commit() {
  for (const auto& [name, ledger] : ledgers_) ledger->WriteSegment();
  // A select that was not read to its end would hold on to its view of the file, and the log could never be written back.
  for (auto& [sql, statement] : prepared_) statement.Reset();
  if (!database_->in_transaction()) return;
  try {
    database_->Execute("COMMIT");
  } catch (const Error&) {
    Rollback();
    throw;
  }
  for (const auto& [name, ledger] : ledgers_) ledger->Committed();
  if (write_back_ != nullptr) write_back_->AfterCommit();
}

void SqliteStore::Rollback() noexcept {
  for (const auto& [name, ledger] : ledgers_) ledger->TakenBack();
  for (auto& [sql, statement] : prepared_) statement.Reset();
  try {
    if (database_->in_transaction()) database_->Execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has then rolled back by itself.
  }
}

std::shared_ptr<LedgerStore> OpenLedgerStore(const std::string& path, const LedgerOptions& options) {
  if (path.empty()) return OpenTemporary();
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kDamaged,
                path + (S_ISDIR(status.st_mode) ? " is a folder, not an Everlearn ledger" : " is not a file that can hold a ledger"));
  }
  return options.read_only ? OpenForReading(path) : OpenForWriting(path, options);
}

std::shared_ptr<Ledger> OpenLedger(const std::string& path, const LedgerOptions& options, const std::string& task) {
  const std::shared_ptr<LedgerStore> store = OpenLedgerStore(path, options);
  std::string name = task;
  if (name.empty()) {
    const std::vector<std::string> names = store->Tasks();
    if (names.size() > 1) {
      std::string all;
      for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
      throw Error(ErrorKind::kUsage, path + " holds several tasks: " + all, "choose one with --task");
    }
    name = names.empty() ? kFirstTask : names.front();
    if (names.empty() && options.read_only) throw Error(ErrorKind::kDamaged, path + " is a ledger without a task");
  }
  return {store, &store->Open(name)};
}

void BackupLedger(const std::string& from, const std::string& to) {
  if (std::filesystem::exists(to)) throw Error(ErrorKind::kUsage, to + " exists already", "a backup never overwrites a file");
  const std::shared_ptr<LedgerStore> source = OpenLedgerStore(from, {.read_only = true});
  const auto& database = static_cast<const SqliteStore&>(*source).database();
  const std::string growing = to + ".part-" + std::to_string(getpid());
  try {
    SqliteStatement copy = database.Prepare("VACUUM INTO ?");
    copy.Bind(std::string_view(growing)).Step();
    std::filesystem::rename(growing, to);
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(ErrorKind::kPermission, to + " cannot be written: " + error.code().message());
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(growing, ignored);
    throw;
  }
}

}  // namespace everlearn
