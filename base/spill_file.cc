#include "base/spill_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace everlearn {
namespace {

std::string DefaultFolder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
}

// A descriptor of a file without a name on a disk, or -1.
int OpenIn(const std::string& folder) {
  struct statfs system {};
  if (statfs(folder.c_str(), &system) != 0 || system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) return -1;
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string path = folder + "/everlearn-XXXXXX";  // not all file systems can do without a name
  const int named = mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) unlink(path.c_str());
  return named;
}

bool WriteAt(int descriptor, const std::string& bytes, uint64_t offset) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = pwrite(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<size_t>(written);
  }
  return true;
}

// Where the file system cannot, the room comes back with the end of the process.
void GiveBack(int descriptor, uint64_t offset, uint64_t size) {
  fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(size));
}

}  // namespace

struct SpilledBytes::File {
  explicit File(int open_file) : descriptor(open_file) {}
  ~File() { close(descriptor); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const int descriptor;
  uint64_t end = 0;
};

SpilledBytes::SpilledBytes(SpilledBytes&& other) noexcept { *this = std::move(other); }

SpilledBytes& SpilledBytes::operator=(SpilledBytes&& other) noexcept {
  if (this == &other) return *this;
  Clear();
  file_ = std::exchange(other.file_, nullptr);
  offset_ = other.offset_;
  size_ = std::exchange(other.size_, 0);
  bytes_ = std::exchange(other.bytes_, {});
  return *this;
}

std::string SpilledBytes::Read() const {
  if (file_ == nullptr) return bytes_;
  std::string bytes(size_, '\0');
  for (size_t done = 0; done < size_;) {
    const ssize_t got = pread(file_->descriptor, bytes.data() + done, size_ - done, static_cast<off_t>(offset_ + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Error(ErrorKind::kResource, std::string("what was set aside in the temporary folder cannot be read: ") + std::strerror(errno),
                  "set TMPDIR to a folder on another disk");
    }
    done += static_cast<size_t>(got);
  }
  return bytes;
}

void SpilledBytes::Clear() {
  if (file_ != nullptr) GiveBack(file_->descriptor, offset_, size_);
  file_ = nullptr;
  size_ = 0;
  bytes_ = {};
}

SpilledBytes SpillFile::Put(std::string bytes) {
  SpilledBytes spilled;
  spilled.size_ = bytes.size();
  if (bytes.size() >= kLeast && !std::exchange(tried_, true)) {
    const int descriptor = OpenIn(folder_.empty() ? DefaultFolder() : folder_);
    if (descriptor >= 0) file_ = std::make_shared<SpilledBytes::File>(descriptor);
  }
  if (bytes.size() >= kLeast && file_ != nullptr) {
    if (WriteAt(file_->descriptor, bytes, file_->end)) {
      spilled.file_ = file_;
      spilled.offset_ = file_->end;
      file_->end += bytes.size();
      return spilled;
    }
    GiveBack(file_->descriptor, file_->end, bytes.size());  // the disk is full
  }
  spilled.bytes_ = std::move(bytes);
  return spilled;
}

}  // namespace everlearn
