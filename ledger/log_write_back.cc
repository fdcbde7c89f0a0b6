#include "ledger/log_write_back.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace everlearn {
namespace {

constexpr std::chrono::milliseconds kSyncEvery{50};

}  // namespace

static_assert(SQLITE_VERSION_NUMBER >= 3'051'003, "before, two connections that write and copy the log at once can lose a commit");

LogWriteBack::LogWriteBack(const SqliteDatabase& writer, const std::string& path, bool syncs_log, LogLimits limits)
    : limits_(limits), writer_(writer), copier_(path, SQLITE_OPEN_READWRITE, path) {
  // The hook replaces the copying in the middle of commits that SQLite does by default.
  sqlite3_wal_hook(
      writer_.connection(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<LogWriteBack*>(self)->pages_ = pages;
        return SQLITE_OK;
      },
      this);
  sqlite3_wal_autocheckpoint(copier_.connection(), 0);
  copier_.Integer("SELECT count(*) FROM sqlite_schema");  // who has never read does not know of the log
  if (syncs_log) log_ = open((path + "-wal").c_str(), O_RDWR | O_CLOEXEC);
  thread_ = std::thread([this] { Run(); });
}

LogWriteBack::~LogWriteBack() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  sqlite3_wal_hook(writer_.connection(), nullptr, nullptr);
  if (log_ >= 0) close(log_);
}

// Both connections say how far the log has been copied, with those pages that others did. A failure loses nothing: what is in the log is
// durable there, and the next copy begins where this one ended.
void LogWriteBack::Copy(const SqliteDatabase& database) {
  int pages = 0, copied = 0;
  if (sqlite3_wal_checkpoint_v2(database.connection(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied) == SQLITE_OK)
    copied_ = std::max(copied, 0);
}

void LogWriteBack::AfterCommit() {
  const int pages = pages_, before = std::exchange(seen_, pages);
  // The log has begun anew; the thread may tell of the one before even after that.
  if (pages < asked_at_ || pages < copied_) copied_ = retry_at_ = asked_at_ = sync_at_ = 0;
  if (log_ >= 0 && pages - sync_at_ >= limits_.before_sync && Wake(false)) sync_at_ = pages;
  const int left = pages - copied_;
  const int little = std::max(limits_.little, 2 * (pages - before));  // a writer of large commits never sees less
  const bool ends = pages >= limits_.of_a_log, must = pages >= limits_.at_most;
  if (ends && pages >= retry_at_ && (left <= little || must)) {
    std::unique_lock alone(copying_, std::defer_lock);  // two at once would be refused
    if (must) alone.lock();
    else if (!alone.try_lock()) return;
    Copy(writer_);
    asked_at_ = pages;
    retry_at_ = pages + limits_.before_copy;
    return;
  }
  // Where others who still read stop the copying, it is tried again only when the log has grown.
  const int worth = ends ? little : limits_.before_copy;
  if (left < worth || pages - asked_at_ < worth) return;
  if (Wake(true)) asked_at_ = pages;
}

// False: it is being told to stop, or wakes just now; the next commit tries again.
bool LogWriteBack::Wake(bool copies) {
  const std::unique_lock guard(lock_, std::try_to_lock);
  if (!guard) return false;
  syncs_ = true;
  copies_ = copies_ || copies;
  wake_.notify_one();
  return true;
}

// SQLite would sync the file only when the whole log is in it, in the writer's commit. By SQLite's own handle: another one, closed, would
// take the locks of this process on the file with it.
void LogWriteBack::SyncFile() {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(copier_.connection(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return;
  if (file != nullptr && file->pMethods != nullptr) file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

void LogWriteBack::Run() {
  std::unique_lock guard(lock_);
  for (int synced = 0;;) {
    wake_.wait_for(guard, kSyncEvery, [this] { return syncs_ || stopping_; });
    if (stopping_) return;
    syncs_ = false;
    const bool copies = std::exchange(copies_, false);
    guard.unlock();
    if (log_ >= 0 && pages_ != synced) {
      synced = pages_;
      fdatasync(log_);
    }
    if (copies) {
      const std::lock_guard alone(copying_);
      Copy(copier_);
      SyncFile();
    }
    guard.lock();
  }
}

}  // namespace everlearn
