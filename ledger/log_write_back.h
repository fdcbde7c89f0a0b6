// Copies the log of a ledger (SQLite's WAL) back into its file beside the writer, who would otherwise wait for that, fsync included, in
// some of its commits.
//
// A thread with a connection of its own. The log begins anew only when all of it is in the file at the moment of a commit, which a busy
// writer may never see: so, when the thread has just copied and little has come since, the writer copies that little itself. A log that
// begins anew is synced by its writer together with the file: both syncs are short since this thread has synced the file after each copy
// and, where commits do not sync it (Durability::kProcess), the log, in small steps. Two connections that write and copy at once need
// SQLite 3.51.3, whose WAL-reset bug is mended. The writer's connection must outlive this object.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "ledger/sqlite.h"

namespace everlearn {

struct LogLimits {        // in pages of 4 KB
  int before_sync = 64;   // the thread syncs the log, if it does, when there are so many new ones,
  int before_copy = 512;  // and copies when there are so many;
  int of_a_log = 16'384;  // a log of so many shall end: the writer copies the rest,
  int little = 256;       // where that is no more than this,
  int at_most = 32'768;   // and from so many on, whatever the rest is, after the thread, which is behind
};

class LogWriteBack {
 public:
  // `path` as the writer's; `syncs_log`: the thread syncs the log.
  LogWriteBack(const SqliteDatabase& writer, const std::string& path, bool syncs_log, LogLimits limits = {});
  ~LogWriteBack();
  LogWriteBack(const LogWriteBack&) = delete;
  LogWriteBack& operator=(const LogWriteBack&) = delete;

  // After each commit, on the writer's thread.
  void AfterCommit();

 private:
  void Run();
  bool Wake(bool copies);
  void SyncFile();
  void Copy(const SqliteDatabase& database);

  const LogLimits limits_;
  const SqliteDatabase& writer_;
  SqliteDatabase copier_;
  std::atomic<int> pages_ = 0;   // in the log
  std::atomic<int> copied_ = 0;  // of them in the file, as far as is known
  int seen_ = 0;                 // after the commit before
  int asked_at_ = 0;             // how many it had when the thread was asked for the last time,
  int sync_at_ = 0;              // and when for a sync
  int retry_at_ = 0;             // where others who still read prevented the log's end: not before it has so many
  int log_ = -1;                 // to sync it, or -1
  std::mutex copying_;
  std::mutex lock_;
  std::condition_variable wake_;
  bool syncs_ = false, copies_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace everlearn
