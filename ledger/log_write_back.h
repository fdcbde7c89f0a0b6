// Copies the log of a ledger (SQLite's WAL) back into its file beside the writer, who would otherwise wait for that, fsync included, in
// some of its commits.
//
// A thread with a connection of its own. The log begins anew only when all of it is in the file at the moment of a commit, which a busy
// writer may never see: beyond a limit it copies the rest itself, and that is little. A log that begins anew is synced by its writer, so
// where commits do not sync it (Durability::kProcess) this thread does, often enough that little is left for him. The writer's connection
// must outlive this object.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "ledger/sqlite.h"

namespace everlearn {

class LogWriteBack {
 public:
  LogWriteBack(const SqliteDatabase& writer, const std::string& path, bool syncs_log);
  ~LogWriteBack();
  LogWriteBack(const LogWriteBack&) = delete;
  LogWriteBack& operator=(const LogWriteBack&) = delete;

  // After each commit, on the writer's thread.
  void AfterCommit();

 private:
  void Run();

  const SqliteDatabase& writer_;
  SqliteDatabase copier_;
  std::atomic<int> pages_ = 0;  // in the log
  int limit_;
  int log_ = -1;  // to sync it, or -1
  std::mutex copying_;
  std::mutex lock_;
  std::condition_variable wake_;
  bool wanted_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace everlearn
