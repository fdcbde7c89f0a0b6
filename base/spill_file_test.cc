// What is set aside comes back, on a disk and where there is none to write to.
#include "base/spill_file.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#include <csignal>
#include <vector>

namespace everlearn {
namespace {

std::string Bytes(size_t size, char first) {
  std::string bytes(size, first);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(first + i % 23);
  return bytes;
}

// Where a file can be; the folder of the test, which seldom is in memory.
constexpr const char* kDisk = ".";

bool IsInMemory() {
  struct statfs system {};
  return statfs(kDisk, &system) != 0 || system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC;
}

TEST(SpillFile, GivesBackWhatWasPut) {
  SpillFile file(kDisk);
  std::vector<SpilledBytes> spilled;
  for (const size_t size : {size_t{0}, size_t{5}, SpillFile::kLeast, size_t{300'000}}) spilled.push_back(file.Put(Bytes(size, 'a')));
  spilled[2] = {};
  EXPECT_TRUE(spilled[0].empty());
  EXPECT_TRUE(spilled[1].in_memory());
  EXPECT_TRUE(spilled[2].empty());
  EXPECT_EQ(spilled[3].in_memory(), IsInMemory());
  EXPECT_EQ(spilled[1].Read(), Bytes(5, 'a'));
  EXPECT_EQ(spilled[3].Read(), Bytes(300'000, 'a'));
  const SpilledBytes moved = std::move(spilled[3]);
  EXPECT_EQ(moved.Read(), Bytes(300'000, 'a'));
}

TEST(SpillFile, BytesOutliveIt) {
  SpilledBytes spilled;
  {
    SpillFile file(kDisk);
    spilled = file.Put(Bytes(SpillFile::kLeast, 'b'));
  }
  EXPECT_EQ(spilled.Read(), Bytes(SpillFile::kLeast, 'b'));
}

TEST(SpillFile, HoldsInMemoryWhatFindsNoFolder) {
  SpillFile file("/no/such/folder");
  const SpilledBytes spilled = file.Put(Bytes(SpillFile::kLeast, 'c'));
  EXPECT_TRUE(spilled.in_memory());
  EXPECT_EQ(spilled.Read(), Bytes(SpillFile::kLeast, 'c'));
}

// A limit of the size of files stands in for a full disk.
TEST(SpillFile, HoldsInMemoryWhatFindsNoRoom) {
  SpillFile file(kDisk);
  const SpilledBytes first = file.Put(Bytes(SpillFile::kLeast, 'd'));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{SpillFile::kLeast * 3 / 2, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  const SpilledBytes second = file.Put(Bytes(SpillFile::kLeast, 'e'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(second.in_memory());
  EXPECT_EQ(first.Read(), Bytes(SpillFile::kLeast, 'd'));
  EXPECT_EQ(second.Read(), Bytes(SpillFile::kLeast, 'e'));
  EXPECT_EQ(file.Put(Bytes(SpillFile::kLeast, 'f')).in_memory(), IsInMemory());
}

}  // namespace
}  // namespace everlearn
