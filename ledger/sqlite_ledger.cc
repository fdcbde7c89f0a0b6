// The embedded ledger: one SQLite file. Events lie in segments of some hundred, so that a million a second can be appended.
//
// While a writer is there the file is in WAL mode (readers and the writer do not wait for each other); a writer that ends well puts it back
// into one plain file, which can be read and copied without companions.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "base/hash.h"
#include "ledger/file_lock.h"
#include "ledger/ledger.h"
#include "ledger/sqlite.h"

namespace everlearn {
namespace {

constexpr int64_t kApplicationId = 0x45764c67;  // "EvLg"
constexpr int64_t kVersion = 1;
constexpr size_t kSegmentBytes = 64 << 10;
constexpr size_t kSegmentEvents = 512;

constexpr const char* kSchema = R"(
  CREATE TABLE fact(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE segment(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, checksum INTEGER NOT NULL, body BLOB NOT NULL);
  CREATE TABLE notice(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE decision(number INTEGER PRIMARY KEY, event INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE TABLE model(hash TEXT PRIMARY KEY, name TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE checkpoint(event INTEGER PRIMARY KEY, state BLOB NOT NULL);
)";

// SQLite checks the structure of its pages, not the bytes inside a blob.
int64_t Checksum(std::string_view bytes) { return static_cast<int64_t>(HashBytes(bytes)); }

class SqliteLedger : public Ledger {
 public:
  SqliteLedger(std::unique_ptr<FileLock> lock, std::unique_ptr<SqliteDatabase> database, bool read_only)
      : lock_(std::move(lock)), database_(std::move(database)), read_only_(read_only) {
    committed_ = static_cast<uint64_t>(database_->Integer("SELECT first + count - 1 FROM segment ORDER BY first DESC LIMIT 1"));
    last_event_ = committed_;
  }

  ~SqliteLedger() override {
    if (read_only_) return;
    Rollback();
    try {
      database_->Execute("PRAGMA journal_mode = DELETE");
    } catch (const Error&) {
      // A reader is looking, or the disk is full: the next writer tidies up.
    }
  }

  void SetFact(const std::string& name, const std::string& value) override {
    Write("INSERT INTO fact VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
          [&](SqliteStatement& insert) { insert.Bind(name).Bind(value); });
  }

  std::optional<std::string> Fact(const std::string& name) const override { return Lookup("SELECT value FROM fact WHERE name = ?", name); }

  uint64_t Append(std::string_view event) override {
    buffer_.PutText(event);
    ++last_event_;
    if (++buffered_ >= kSegmentEvents || buffer_.size() >= kSegmentBytes) WriteSegment();
    return last_event_;
  }

  uint64_t last_event() const override { return last_event_; }

  void AddNotice(const LedgerNotice& notice) override {
    Write("INSERT INTO notice(event, kind, body) VALUES (?, ?, ?)",
          [&](SqliteStatement& insert) { insert.Bind(static_cast<int64_t>(notice.event)).Bind(notice.kind).Bind(notice.body); });
  }

  void AddDecision(const LedgerDecision& decision) override {
    Write("INSERT INTO decision VALUES (?, ?, ?)",
          [&](SqliteStatement& insert) { insert.Bind(decision.number).Bind(static_cast<int64_t>(decision.event)).Bind(decision.body); });
  }

  void PutModel(const std::string& hash, const std::string& name, std::string_view bytes) override {
    Write("INSERT INTO model VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          [&](SqliteStatement& insert) { insert.Bind(hash).Bind(name).BindBlob(bytes); });
  }

  void PutCheckpoint(const LedgerCheckpoint& checkpoint) override {
    Write("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)",
          [&](SqliteStatement& insert) { insert.Bind(static_cast<int64_t>(checkpoint.event)).BindBlob(checkpoint.state); });
    Write("DELETE FROM checkpoint WHERE event NOT IN (SELECT event FROM checkpoint ORDER BY event DESC LIMIT 2)", [](SqliteStatement&) {});
  }

  void Commit() override {
    WriteSegment();
    if (!database_->in_transaction()) return;
    try {
      database_->Execute("COMMIT");
    } catch (const Error&) {
      Rollback();
      throw;
    }
    committed_ = last_event_;
  }

  void ReadEvents(uint64_t first, uint64_t last, const std::function<bool(uint64_t, std::string_view)>& visit) const override;
  std::vector<LedgerNotice> Notices() const override;
  std::vector<LedgerDecision> Decisions() const override;

  std::optional<std::string> Model(const std::string& hash) const override {
    return Lookup("SELECT bytes FROM model WHERE hash = ?", hash);
  }

  std::vector<LedgerCheckpoint> Checkpoints() const override {
    std::vector<LedgerCheckpoint> checkpoints;
    SqliteStatement select = database_->Prepare("SELECT event, state FROM checkpoint ORDER BY event DESC");
    while (select.Step()) checkpoints.push_back({static_cast<uint64_t>(select.Integer(0)), std::string(select.Bytes(1))});
    return checkpoints;
  }

 private:
  // Runs one statement inside the open transaction, which it begins where there is none. A failure takes everything since the last commit
  // back, so that what is here and what is on disk stay equal.
  template <typename BindAll>
  void Write(const char* sql, const BindAll& bind) {
    try {
      if (!database_->in_transaction()) database_->Execute("BEGIN IMMEDIATE");
      SqliteStatement statement = database_->Prepare(sql);
      bind(statement);
      statement.Step();
    } catch (const Error&) {
      Rollback();
      throw;
    }
  }

  void WriteSegment() {
    if (buffered_ == 0) return;
    Write("INSERT INTO segment VALUES (?, ?, ?, ?)", [&](SqliteStatement& insert) {
      insert.Bind(static_cast<int64_t>(last_event_ - buffered_ + 1)).Bind(static_cast<int64_t>(buffered_));
      insert.Bind(Checksum(buffer_.bytes())).BindBlob(buffer_.bytes());
    });
    ClearBuffer();
  }

  void ClearBuffer() {
    buffer_.Clear();
    buffered_ = 0;
  }

  void Rollback() noexcept {
    ClearBuffer();
    last_event_ = committed_;
    try {
      if (database_->in_transaction()) database_->Execute("ROLLBACK");
    } catch (const Error&) {
      // SQLite has then rolled back by itself.
    }
  }

  std::optional<std::string> Lookup(std::string_view sql, const std::string& key) const {
    SqliteStatement select = database_->Prepare(sql);
    if (!select.Bind(key).Step()) return std::nullopt;
    return std::string(select.Bytes(0));
  }

  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<SqliteDatabase> database_;  // closed before the lock is given back
  bool read_only_;
  uint64_t committed_ = 0;
  uint64_t last_event_ = 0;
  ByteWriter buffer_;  // the last `buffered_` events, each with its length before it
  size_t buffered_ = 0;
};

void SqliteLedger::ReadEvents(uint64_t first, uint64_t last, const std::function<bool(uint64_t, std::string_view)>& visit) const {
  const auto visit_segment = [&](uint64_t begin, uint64_t count, std::string_view body) {
    for (uint64_t number = begin; number < begin + count && number <= last; ++number) {
      ByteReader reader(body);
      const uint64_t size = reader.GetVarint();
      body.remove_prefix(reader.position());
      if (size > body.size())
        throw Error(ErrorKind::kDamaged, database_->name() + " is damaged: event " + std::to_string(number) + " ends too early");
      if (number >= first && !visit(number, body.substr(0, size))) return false;
      body.remove_prefix(size);
    }
    return true;
  };
  SqliteStatement select = database_->Prepare(
      "SELECT first, count, checksum, body FROM segment WHERE first >= "
      "coalesce((SELECT max(first) FROM segment WHERE first <= ?1), 0) AND first <= ?2 ORDER BY first");
  constexpr uint64_t kLargest = INT64_MAX;
  select.Bind(static_cast<int64_t>(std::min(first, kLargest))).Bind(static_cast<int64_t>(std::min(last, kLargest)));
  uint64_t expected = 0;
  while (select.Step()) {
    const auto begin = static_cast<uint64_t>(select.Integer(0)), count = static_cast<uint64_t>(select.Integer(1));
    if (expected != 0 && begin != expected) {
      throw Error(ErrorKind::kDamaged, database_->name() + " is damaged: event " + std::to_string(expected) + " is missing");
    }
    if (Checksum(select.Bytes(3)) != select.Integer(2)) {
      throw Error(ErrorKind::kDamaged,
                  database_->name() + " is damaged: the checksum of the events from " + std::to_string(begin) + " on is wrong");
    }
    if (!visit_segment(begin, count, select.Bytes(3))) return;
    expected = begin + count;
  }
  if (buffered_ > 0) visit_segment(last_event_ - buffered_ + 1, buffered_, buffer_.bytes());
}

std::vector<LedgerNotice> SqliteLedger::Notices() const {
  std::vector<LedgerNotice> notices;
  SqliteStatement select = database_->Prepare("SELECT event, kind, body FROM notice ORDER BY number");
  while (select.Step()) {
    notices.push_back({static_cast<uint64_t>(select.Integer(0)), std::string(select.Bytes(1)), std::string(select.Bytes(2))});
  }
  return notices;
}

std::vector<LedgerDecision> SqliteLedger::Decisions() const {
  std::vector<LedgerDecision> decisions;
  SqliteStatement select = database_->Prepare("SELECT number, event, body FROM decision ORDER BY number");
  while (select.Step()) {
    decisions.push_back({select.Integer(0), static_cast<uint64_t>(select.Integer(1)), std::string(select.Bytes(2))});
  }
  return decisions;
}

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

std::unique_ptr<Ledger> OpenTemporary() {
  auto database = std::make_unique<SqliteDatabase>("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "the temporary ledger");
  database->Execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384");
  CreateTables(*database);
  return std::make_unique<SqliteLedger>(nullptr, std::move(database), false);
}

std::unique_ptr<Ledger> OpenForWriting(const std::string& path, Durability durability) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    throw Error(ErrorKind::kNotFound, "the ledger " + path + " cannot be made: there is no folder " + folder.string());
  }
  if (std::filesystem::exists(path) && access(path.c_str(), R_OK | W_OK) != 0) {
    throw Error(ErrorKind::kPermission, "no permission to write the ledger " + path);
  }
  auto lock = std::make_unique<FileLock>(path);
  auto database = std::make_unique<SqliteDatabase>(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path);
  database->Execute(durability == Durability::kPower ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  bool fresh = false;
  CheckIdentity(*database, &fresh);
  if (fresh) CreateTables(*database);
  if (SqliteStatement mode = database->Prepare("PRAGMA journal_mode = WAL"); !mode.Step() || mode.Bytes(0) != "wal") {
    throw Error(ErrorKind::kResource, path + " could not be opened for writing: other processes are reading it",
                "wait until they have finished");
  }
  return std::make_unique<SqliteLedger>(std::move(lock), std::move(database), false);
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

std::unique_ptr<Ledger> OpenForReading(const std::string& path) {
  if (!std::filesystem::exists(path)) throw Error(ErrorKind::kNotFound, "there is no ledger " + path);
  if (access(path.c_str(), R_OK) != 0) throw Error(ErrorKind::kPermission, "no permission to read the ledger " + path);
  const auto open = [&](const std::string& name, int flags) {
    auto database = std::make_unique<SqliteDatabase>(name, SQLITE_OPEN_READONLY | flags, path);
    bool fresh = false;
    CheckIdentity(*database, &fresh);
    if (fresh) throw Error(ErrorKind::kDamaged, path + " is empty, not an Everlearn ledger");
    return std::make_unique<SqliteLedger>(nullptr, std::move(database), true);
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

std::unique_ptr<Ledger> OpenLedger(const std::string& path, const LedgerOptions& options) {
  if (path.empty()) return OpenTemporary();
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kDamaged,
                path + (S_ISDIR(status.st_mode) ? " is a folder, not an Everlearn ledger" : " is not a file that can hold a ledger"));
  }
  return options.read_only ? OpenForReading(path) : OpenForWriting(path, options.durability);
}

}  // namespace everlearn
