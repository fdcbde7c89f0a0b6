// A lock that one process holds on a file by its path, gone when the process is, however it ends.
//
// It is a record lock (fcntl) on a file of its own, `path` + "-lock": a second descriptor of the database file itself would, when closed,
// drop SQLite's locks on it; and flock would live on in a child process. Thread-safe.
#pragma once

#include <string>

namespace everlearn {

class FileLock {
 public:
  // Throws kResource when somebody else (or this process already) holds it, kNotFound, kPermission.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::string lock_path_;
  int descriptor_ = -1;
};

}  // namespace everlearn
