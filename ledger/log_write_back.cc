#include "ledger/log_write_back.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace everlearn {
namespace {

constexpr int kPagesBeforeCopy = 4096;  // 16 MB
constexpr int kPagesOfALog = 16'384;    // 64 MB: from here on the writer helps

constexpr std::chrono::milliseconds kSyncEvery{50};

}  // namespace

LogWriteBack::LogWriteBack(const SqliteDatabase& writer, const std::string& path, bool syncs_log)
    : writer_(writer), copier_(path, SQLITE_OPEN_READWRITE, path), limit_(kPagesOfALog) {
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

void LogWriteBack::AfterCommit() {
  if (pages_ < limit_) {
    if (pages_ < kPagesOfALog) limit_ = kPagesOfALog;
    if (pages_ < kPagesBeforeCopy) return;
    const std::unique_lock guard(lock_, std::try_to_lock);
    if (!guard) return;  // it is being told to stop, or wakes just now
    wanted_ = true;
    wake_.notify_one();
    return;
  }
  const std::lock_guard alone(copying_);  // two at once would be refused
  // Others who still read an old part of the log prevent its end: then again when it has grown as much once more.
  sqlite3_wal_checkpoint_v2(writer_.connection(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  limit_ = pages_ + kPagesOfALog;
}

void LogWriteBack::Run() {
  std::unique_lock guard(lock_);
  for (int synced = 0;;) {
    wake_.wait_for(guard, kSyncEvery, [this] { return wanted_ || stopping_; });
    if (stopping_) return;
    const bool copies = std::exchange(wanted_, false);
    guard.unlock();
    if (log_ >= 0 && pages_ != synced) {
      synced = pages_;
      fdatasync(log_);
    }
    // A failure loses nothing: what is in the log is durable there, and the next copy begins where this one ended.
    if (copies) {
      const std::lock_guard alone(copying_);
      sqlite3_wal_checkpoint_v2(copier_.connection(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }
    guard.lock();
  }
}

}  // namespace everlearn
