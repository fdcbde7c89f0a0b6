// A ledger whose log is copied beside its writer: nothing is lost, the log stays bounded, one plain file is left.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "ledger/ledger.h"

namespace everlearn {
namespace {

namespace fs = std::filesystem;

class LogWriteBackTest : public testing::TestWithParam<Durability> {
 protected:
  LogWriteBackTest() : folder_(fs::temp_directory_path() / ("log_write_back_test_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~LogWriteBackTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_P(LogWriteBackTest, TheLogStaysBoundedAndNothingIsLost) {
  const fs::path path = folder_ / "a.db";
  constexpr uint64_t kEvents = 3000;
  constexpr uintmax_t kMegabyte = 1 << 20;
  const std::string event(100'000, 'e');  // 300 MB in all
  uintmax_t longest = 0;
  {
    const auto ledger = OpenLedger(path, {.durability = GetParam(), .short_commits = true});
    for (uint64_t i = 0; i < kEvents; ++i) {
      ledger->Append(event);
      ledger->Commit();
      longest = std::max(longest, fs::file_size(path.string() + "-wal"));
    }
    EXPECT_GT(fs::file_size(path), 100 * kMegabyte) << "nothing was copied while the writer went on";
  }
  EXPECT_LT(longest, 220 * kMegabyte);  // more than its limit, as a machine may be busy
  EXPECT_FALSE(fs::exists(path.string() + "-wal"));
  const auto ledger = OpenLedger(path, {.read_only = true});
  EXPECT_EQ(ledger->last_event(), kEvents);
  ledger->VerifyChain();
}

INSTANTIATE_TEST_SUITE_P(All, LogWriteBackTest, testing::Values(Durability::kPower, Durability::kProcess),
                         [](const auto& test) { return test.param == Durability::kPower ? "power" : "process"; });

}  // namespace
}  // namespace everlearn
