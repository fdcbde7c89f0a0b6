// Bytes that are set aside in a file without a name, so that they take no memory until they are wanted again.
//
// The file lies in $TMPDIR or else /var/tmp, and is gone with the process. What is small, what finds no room on the disk, and everything
// where that folder is itself in memory (tmpfs) or cannot be written to, is held in memory instead. A SpillFile and the bytes that it gave
// out belong to one thread; the bytes may outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace everlearn {

class SpilledBytes {
 public:
  SpilledBytes() = default;
  SpilledBytes(SpilledBytes&& other) noexcept;
  SpilledBytes& operator=(SpilledBytes&& other) noexcept;
  ~SpilledBytes() { Clear(); }

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool in_memory() const { return file_ == nullptr; }
  // Throws kResource where the disk fails.
  std::string Read() const;
  // Gives the room in the file back.
  void Clear();

 private:
  friend class SpillFile;
  struct File;
  std::shared_ptr<const File> file_;  // null: in `bytes_`
  uint64_t offset_ = 0, size_ = 0;
  std::string bytes_;
};

class SpillFile {
 public:
  static constexpr uint64_t kLeast = 1 << 16;  // bytes; less is held in memory

  // `folder`: where the file is to be; empty: as above. It is opened when it is first needed.
  explicit SpillFile(std::string folder = {}) : folder_(std::move(folder)) {}
  SpilledBytes Put(std::string bytes);

 private:
  std::string folder_;
  bool tried_ = false;
  std::shared_ptr<SpilledBytes::File> file_;
};

}  // namespace everlearn
