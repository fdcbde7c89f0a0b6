// Memory files of Linux (memfd) and read-only mappings.
#include "base/memory_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace everlearn {
namespace {

[[noreturn]] void Fail(const char* what) {
  throw Error(ErrorKind::kResource, std::string(what) + ": " + std::strerror(errno), "free memory, or raise its limit");
}

}  // namespace

MemoryFile::MemoryFile(const char* name) : descriptor_(memfd_create(name, MFD_CLOEXEC)) {
  if (descriptor_ < 0) Fail("memory to share with workers could not be had");
}

MemoryFile::~MemoryFile() { close(descriptor_); }

void MemoryFile::Append(const void* bytes, size_t size) {
  const auto* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = write(descriptor_, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) Fail("memory to share with workers could not be had");
    at += written;
    size -= static_cast<size_t>(written);
  }
}

Mapping::Mapping(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) Fail("shared memory could not be mapped");
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  bytes_ = mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
  if (bytes_ == MAP_FAILED) {
    bytes_ = nullptr;
    Fail("shared memory could not be mapped");
  }
}

Mapping::~Mapping() {
  if (size_ > 0) munmap(bytes_, size_);
}

}  // namespace everlearn
