// What the SQLite ledger keeps when writes fail and when power is lost: a file system (SQLite VFS) between SQLite and the real one fails
// the nth operation, or says what of the unsynced writes would be on disk; run over every n.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/random.h"
#include "ledger/ledger.h"
#include "ledger/log_write_back.h"

namespace everlearn {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Change {
  size_t offset = 0;
  std::optional<std::string> bytes;  // none: the file was cut at `offset`
};

// One file as the medium has it: what a sync made durable, and the changes since.
struct Disk {
  std::string synced;
  std::vector<Change> pending;

  static void Apply(const Change& change, std::string* content) {
    const size_t end = change.offset + (change.bytes ? change.bytes->size() : 0);
    if (!change.bytes || content->size() < end) content->resize(end);
    if (change.bytes) content->replace(change.offset, change.bytes->size(), *change.bytes);
  }
  void Sync() {
    for (const Change& change : pending) Apply(change, &synced);
    pending.clear();
  }
  // Of the pending changes any may have arrived, a long write also in part, by sectors of 512 bytes.
  std::string AfterPowerLoss(Random* random) const {
    std::string content = synced;
    for (Change change : pending) {
      const uint64_t fate = random->Below(3);
      if (fate == 0) continue;
      if (fate == 1 && change.bytes && change.bytes->size() > 512) {
        change.bytes->resize(512 * random->Below(change.bytes->size() / 512));
      }
      Apply(change, &content);
    }
    return content;
  }
};

// SQLite's default file system while it lives. Operations are writes, cuts, syncs and deletions of a database and its companions. Threads
// may use it; one of them at a time reaches the disk.
class FaultVfs {
 public:
  FaultVfs() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.zName = "fault";
    vfs_.xOpen = Open;
    vfs_.xDelete = Delete;
    active = this;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultVfs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
    active = nullptr;
  }
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // From now on operation number `operation` (from 1; 0: none) fails with `code`, and with `later` every one after it.
  void FailAt(uint64_t operation, int code, bool later) {
    fail_at_ = operation;
    code_ = code;
    later_ = later;
    operations_ = 0;
  }
  uint64_t operations() const { return operations_; }

  // Copies what a loss of power now would leave of `path` and its companions into `target`.
  void SavePowerLoss(const fs::path& path, const fs::path& target, uint64_t seed) const {
    Random random(seed);
    for (const std::string suffix : {"", "-wal", "-journal"}) {
      fs::remove(target.string() + suffix);
      if (const auto disk = disks_.find(path.string() + suffix); disk != disks_.end()) {
        std::ofstream(target.string() + suffix, std::ios::binary) << disk->second.AfterPowerLoss(&random);
      }
    }
    fs::remove(target.string() + "-shm");
  }

 private:
  struct File {
    sqlite3_file base;
    Disk* disk;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static inline FaultVfs* active = nullptr;

  static File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real(); }

  int NextCode() {
    const uint64_t number = ++operations_;
    return fail_at_ != 0 && (number == fail_at_ || (later_ && number > fail_at_)) ? code_ : SQLITE_OK;
  }

  static int Open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
    FaultVfs* const self = active;
    const std::lock_guard alone(self->disk_);
    if (name == nullptr) return self->real_->xOpen(self->real_, name, file, flags, out_flags);
    Of(file)->disk = &self->disks_.try_emplace(name, Disk{fs::exists(name) ? ReadFile(name) : "", {}}).first->second;
    const int code = self->real_->xOpen(self->real_, name, Real(file), flags, out_flags);
    file->pMethods = code == SQLITE_OK ? &Methods() : nullptr;
    return code;
  }

  static int Delete(sqlite3_vfs*, const char* name, int sync) {
    const std::lock_guard alone(active->disk_);
    if (const int code = active->NextCode()) return code;
    active->disks_.erase(name);
    return active->real_->xDelete(active->real_, name, sync);
  }

  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    const std::lock_guard alone(active->disk_);
    if (const int code = active->NextCode()) return code;
    Of(file)->disk->pending.push_back(
        {static_cast<size_t>(offset), std::string(static_cast<const char*>(data), static_cast<size_t>(size))});
    return Real(file)->pMethods->xWrite(Real(file), data, size, offset);
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    const std::lock_guard alone(active->disk_);
    if (const int code = active->NextCode()) return code;
    Of(file)->disk->pending.push_back({static_cast<size_t>(size), std::nullopt});
    return Real(file)->pMethods->xTruncate(Real(file), size);
  }

  // The real disk's sync is left out: it would only take time.
  static int Sync(sqlite3_file* file, int) {
    const std::lock_guard alone(active->disk_);
    if (const int code = active->NextCode()) return code;
    Of(file)->disk->Sync();
    return SQLITE_OK;
  }

  static const sqlite3_io_methods& Methods() {
    static const sqlite3_io_methods methods = {
        2,
        [](sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); },
        [](sqlite3_file* f, void* data, int size, sqlite3_int64 offset) { return Real(f)->pMethods->xRead(Real(f), data, size, offset); },
        Write,
        Truncate,
        Sync,
        [](sqlite3_file* f, sqlite3_int64* size) { return Real(f)->pMethods->xFileSize(Real(f), size); },
        [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
        [](sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
        [](sqlite3_file* f, int* reserved) { return Real(f)->pMethods->xCheckReservedLock(Real(f), reserved); },
        [](sqlite3_file* f, int operation, void* argument) { return Real(f)->pMethods->xFileControl(Real(f), operation, argument); },
        [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
        [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); },
        [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
          return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
        },
        [](sqlite3_file* f, int offset, int count, int flags) { return Real(f)->pMethods->xShmLock(Real(f), offset, count, flags); },
        [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
        [](sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
        nullptr,
        nullptr,
    };
    return methods;
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  std::mutex disk_;
  std::map<std::string, Disk> disks_;
  uint64_t operations_ = 0, fail_at_ = 0;
  int code_ = SQLITE_OK;
  bool later_ = false;
};

// The story every test tells: nine commits in three sittings, small ones and large ones, with a fact that counts them.
constexpr int kCommits = 9;
int EventsOf(int commit) { return commit == 4 ? 1500 : 1 + commit % 3; }
std::string EventText(uint64_t number) { return "event " + std::to_string(number * number); }

// Goes on where the ledger stands; `committed` counts the commits that returned. Throws what the ledger throws.
void TellStory(const std::string& path, int* committed) {
  while (*committed < kCommits) {
    const auto ledger = OpenLedger(path, {Durability::kPower});
    for (int sitting = 0; sitting < 3 && *committed < kCommits; ++sitting) {
      for (int i = 0; i < EventsOf(*committed); ++i) ledger->Append(EventText(ledger->last_event() + 1));
      const std::string number = std::to_string(*committed + 1);
      ledger->SetFact("commits", number);
      ledger->PutModel("hash " + number, "model", std::string(10'000, 'm'));
      ledger->PutCheckpoint({ledger->last_event(), "state " + number});
      ledger->Commit();
      ++*committed;
    }
  }
}

// How many commits the ledger holds, each whole and nothing besides; adds a failure where that is not so.
int CommitsIn(const std::string& path) {
  const auto ledger = OpenLedger(path, {Durability::kPower});
  const int commits = std::stoi(ledger->Fact("commits").value_or("0"));
  uint64_t events = 0;
  for (int i = 0; i < commits; ++i) events += static_cast<uint64_t>(EventsOf(i));
  EXPECT_EQ(ledger->last_event(), events);
  uint64_t seen = 0;
  ledger->ReadEvents(1, UINT64_MAX, [&](uint64_t number, std::string_view event) {
    EXPECT_EQ(number, ++seen);
    EXPECT_EQ(event, EventText(number));
    return !testing::Test::HasFailure();
  });
  EXPECT_EQ(seen, events);
  for (int i = 1; i <= kCommits; ++i) EXPECT_EQ(ledger->Model("hash " + std::to_string(i)).has_value(), i <= commits);
  const auto checkpoints = ledger->Checkpoints();
  EXPECT_EQ(checkpoints.empty() ? 0 : checkpoints.front().event, events);
  return commits;
}

class SqliteLedgerFault : public testing::Test {
 protected:
  SqliteLedgerFault() {
    folder_ = fs::temp_directory_path() / ("ledger_fault_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    path_ = folder_ / "a.db";
  }
  ~SqliteLedgerFault() override { fs::remove_all(folder_); }

  void RemoveAll() {
    for (const auto& entry : fs::directory_iterator(folder_)) fs::remove(entry);
  }

  fs::path folder_, path_;
};

// Returns the commits that succeeded before the fault; the error, if there was one, must be kResource.
int TellUntilFault(const std::string& path) {
  int committed = 0;
  try {
    TellStory(path, &committed);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kResource) << error.what();
  }
  return committed;
}

TEST_F(SqliteLedgerFault, OneFailedOperationTakesBackOneCommitAndNothingElse) {
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE}) {
    uint64_t operations = 1;
    for (uint64_t n = 1; n <= operations && !HasFailure(); ++n) {
      SCOPED_TRACE("operation " + std::to_string(n));
      RemoveAll();
      FaultVfs vfs;
      vfs.FailAt(n, code, false);
      int committed = TellUntilFault(path_);
      operations = std::max(operations, vfs.operations());
      vfs.FailAt(0, SQLITE_OK, false);
      EXPECT_EQ(CommitsIn(path_), committed);
      TellStory(path_, &committed);
      EXPECT_EQ(CommitsIn(path_), kCommits);
    }
    EXPECT_GT(operations, 50u);
  }
}

TEST_F(SqliteLedgerFault, AFailedCommitLeavesTheOpenLedgerAtTheCommitBefore) {
  FaultVfs vfs;
  const auto ledger = OpenLedger(path_, {});
  ledger->Append("one");
  ledger->Commit();
  ledger->Append("two");
  ledger->SetFact("x", "y");
  vfs.FailAt(1, SQLITE_FULL, true);
  EXPECT_THROW(ledger->Commit(), Error);
  vfs.FailAt(0, SQLITE_OK, false);
  EXPECT_EQ(ledger->last_event(), 1u);
  EXPECT_FALSE(ledger->Fact("x").has_value());
  EXPECT_EQ(ledger->Append("two again"), 2u);
  ledger->Commit();
  std::vector<std::string> events;
  ledger->ReadEvents(1, 9, [&](uint64_t, std::string_view event) { return events.emplace_back(event), true; });
  EXPECT_EQ(events, (std::vector<std::string>{"one", "two again"}));
}

// A commit whose very last sync failed may be found whole by the next process; never in part, never an earlier one missing.
TEST_F(SqliteLedgerFault, ADiskThatStaysFullKeepsWhatWasCommitted) {
  uint64_t operations = 1;
  for (uint64_t n = 1; n <= operations && !HasFailure(); ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    RemoveAll();
    FaultVfs vfs;
    vfs.FailAt(n, SQLITE_FULL, true);
    const int committed = TellUntilFault(path_);
    operations = std::max(operations, vfs.operations());
    vfs.FailAt(0, SQLITE_OK, false);
    const int found = CommitsIn(path_);
    EXPECT_GE(found, committed);
    EXPECT_LE(found, committed + 1);
    if (committed < kCommits) operations = std::max(operations, n + 1);
  }
}

TEST_F(SqliteLedgerFault, CommittedEventsSurviveALossOfPowerAtAnyOperation) {
  const std::string after = folder_ / "after.db";
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    RemoveAll();
    int committed;
    FaultVfs vfs;
    vfs.FailAt(n, SQLITE_IOERR_WRITE, true);
    committed = TellUntilFault(path_);
    const bool finished = vfs.operations() < n;
    vfs.FailAt(0, SQLITE_OK, false);
    for (uint64_t seed = 1; seed <= 3 && !HasFailure(); ++seed) {
      vfs.SavePowerLoss(path_, after, MixBits(n) + seed);
      const int found = CommitsIn(after);
      EXPECT_GE(found, committed);
      EXPECT_LE(found, committed + 1);
      for (const std::string suffix : {"", "-wal", "-journal"}) fs::remove(after + suffix);
    }
    if (finished || HasFailure()) break;
  }
}

// The log is copied back by another thread meanwhile, again and again: whatever the moment, what was committed is there.
TEST_F(SqliteLedgerFault, CommittedRowsSurviveALossOfPowerWhileTheLogIsCopiedAside) {
  const std::string after = folder_ / "after.db";
  Random random(3);
  uint64_t copies = 0;
  for (int life = 0; life < 60 && !HasFailure(); ++life) {
    SCOPED_TRACE("life " + std::to_string(life));
    RemoveAll();
    FaultVfs vfs;
    int64_t committed = 0;
    uint64_t first_of_file = 0;
    {
      SqliteDatabase writer(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path_);
      writer.Execute("PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL; CREATE TABLE t(number INTEGER PRIMARY KEY, bytes BLOB)");
      const LogLimits limits{.before_copy = 3, .of_a_log = 12, .little = 4, .at_most = 40};
      LogWriteBack write_back(writer, path_, false, limits);
      vfs.FailAt(200 + random.Below(3000), SQLITE_IOERR_WRITE, true);
      try {
        for (; committed < 1500; ++committed) {
          writer.Execute(
              ("INSERT INTO t VALUES(" + std::to_string(committed) + ", zeroblob(" + std::to_string(random.Below(9000)) + "))").c_str());
          write_back.AfterCommit();
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kResource) << error.what();
      }
      first_of_file = fs::file_size(path_);
    }
    copies += first_of_file > 100'000;
    vfs.FailAt(0, SQLITE_OK, false);
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      vfs.SavePowerLoss(path_, after, seed);
      SqliteDatabase found(after, SQLITE_OPEN_READWRITE, after);
      EXPECT_GE(found.Integer("SELECT count(*) FROM t"), committed);
      EXPECT_EQ(found.Integer("SELECT count(*) FROM t"), found.Integer("SELECT max(number) + 1 FROM t"));
      SqliteStatement check = found.Prepare("PRAGMA integrity_check");
      ASSERT_TRUE(check.Step());
      EXPECT_EQ(check.Bytes(0), "ok");
    }
  }
  EXPECT_GT(copies, 30u) << "nothing was copied while the writer went on";
}

}  // namespace
}  // namespace everlearn
