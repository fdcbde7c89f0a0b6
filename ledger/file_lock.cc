// A record lock on a file beside the one it protects; see file_lock.h.
#include "ledger/file_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>

#include "base/error.h"

namespace everlearn {
namespace {

// A record lock does not keep its own process out, so this does.
std::mutex held_mutex;
std::set<std::string>& Held() {
  static std::set<std::string> held;
  return held;
}

[[noreturn]] void ThrowHeld(const std::string& path, const std::string& holder) {
  throw Error(ErrorKind::kResource, path + " is being written by " + holder, "wait until it has finished, or choose another file");
}

[[noreturn]] void ThrowSystem(const std::string& lock_path, int code) {
  const ErrorKind kind = code == ENOENT || code == ENOTDIR                  ? ErrorKind::kNotFound
                         : code == EACCES || code == EPERM || code == EROFS ? ErrorKind::kPermission
                                                                            : ErrorKind::kResource;
  throw Error(kind, lock_path + " could not be created: " + std::generic_category().message(code));
}

// True when `descriptor` is still what the path names: its last holder may have removed it before we had the lock.
bool IsAt(int descriptor, const std::string& path) {
  struct stat ours, there;
  return fstat(descriptor, &ours) == 0 && stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

}  // namespace

FileLock::FileLock(const std::string& path) : lock_path_(std::filesystem::weakly_canonical(path).string() + "-lock") {
  const std::lock_guard guard(held_mutex);
  if (Held().count(lock_path_) > 0) ThrowHeld(path, "this process");
  while (true) {
    descriptor_ = open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) ThrowSystem(lock_path_, errno);
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(descriptor_, F_SETLK, &lock) != 0) {
      const int code = errno;
      fcntl(descriptor_, F_GETLK, &lock);
      close(descriptor_);
      if (code != EACCES && code != EAGAIN) ThrowSystem(lock_path_, code);
      ThrowHeld(path, lock.l_pid > 0 ? "another process (" + std::to_string(lock.l_pid) + ")" : "another process");
    }
    if (IsAt(descriptor_, lock_path_)) break;
    close(descriptor_);
  }
  Held().insert(lock_path_);
}

FileLock::~FileLock() {
  const std::lock_guard guard(held_mutex);
  unlink(lock_path_.c_str());
  close(descriptor_);
  Held().erase(lock_path_);
}

}  // namespace everlearn
