// A file that exists in memory only, and a file's content as mapped memory: how data is shared with worker processes.
//
// Each object belongs to one thread; a Mapping's bytes may be read by any. Errors are thrown as kResource.
#pragma once

#include <cstddef>
#include <string_view>

namespace everlearn {

class MemoryFile {
 public:
  explicit MemoryFile(const char* name);  // `name` is only for people who look at the process
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }
  void Append(const void* bytes, size_t size);

 private:
  int descriptor_;
};

// The whole content of an open file, read-only. The descriptor may be closed afterwards.
class Mapping {
 public:
  explicit Mapping(int descriptor);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  void* bytes_ = nullptr;
  size_t size_ = 0;
};

}  // namespace everlearn
