// What is special to a ledger in a file: companions, permissions, damage. What every ledger does is in ledger_contract_test.cc.
#include "ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/random.h"

namespace everlearn {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

using Events = std::vector<std::pair<uint64_t, std::string>>;

Events Read(const Ledger& ledger, uint64_t first, uint64_t last) {
  Events events;
  ledger.ReadEvents(first, last, [&](uint64_t number, std::string_view event) { return events.emplace_back(number, event), true; });
  return events;
}

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    folder_ = fs::temp_directory_path() / ("ledger_test_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    path_ = folder_ / "a.db";
  }
  ~LedgerTest() override { fs::remove_all(folder_); }

  // The error of opening, whose message must name the path.
  Error OpenError(const std::string& path, const LedgerOptions& options = {}) {
    try {
      OpenLedger(path, options);
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(path));
      return error;
    }
    ADD_FAILURE() << path << " was opened";
    return Error(ErrorKind::kInternal, "");
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  fs::path folder_, path_;
};

TEST_F(LedgerTest, ATemporaryLedgerNeedsNoFile) {
  const auto ledger = OpenLedger("", {Durability::kProcess});
  for (int i = 0; i < 2000; ++i) ledger->Append("event " + std::to_string(i));
  EXPECT_EQ(Read(*ledger, 1000, 1001), (Events{{1000, "event 999"}, {1001, "event 1000"}}));
  EXPECT_THAT(Files(), ElementsAre());
}

TEST_F(LedgerTest, AnotherSpellingOfThePathIsTheSameFile) {
  const auto writer = OpenLedger(path_, {});
  fs::create_directory(folder_ / "sub");
  EXPECT_EQ(OpenError(folder_ / "sub" / ".." / "a.db").kind(), ErrorKind::kResource);
}

TEST_F(LedgerTest, RefusesWhatIsNoLedger) {
  const auto write = [&](const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  };
  const LedgerOptions reading{Durability::kPower, true};
  const std::string text = write("table.csv", std::string(5000, 'a'));
  for (const LedgerOptions& options : {LedgerOptions{}, reading}) {
    EXPECT_EQ(OpenError(text, options).kind(), ErrorKind::kDamaged);
    EXPECT_THAT(OpenError(text, options).message(), HasSubstr("is not an Everlearn ledger"));
    EXPECT_THAT(OpenError(folder_, options).message(), HasSubstr("is a folder"));
    EXPECT_EQ(OpenError("/dev/full", options).kind(), ErrorKind::kDamaged);
  }
  EXPECT_EQ(fs::file_size(text), 5000u);

  EXPECT_EQ(OpenError(path_, reading).kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_EQ(OpenError(folder_ / "nowhere" / "a.db").kind(), ErrorKind::kNotFound);
  EXPECT_THAT(OpenError(write("empty.db", ""), reading).message(), HasSubstr("is empty"));

  sqlite3* db = nullptr;
  sqlite3_open(path_.c_str(), &db);
  sqlite3_exec(db, "CREATE TABLE segment(a)", nullptr, nullptr, nullptr);
  EXPECT_THAT(OpenError(path_).message(), HasSubstr("not an Everlearn ledger"));
  sqlite3_exec(db, "PRAGMA application_id = 0x45764c67; PRAGMA user_version = 1", nullptr, nullptr, nullptr);
  EXPECT_EQ(OpenError(path_, reading).kind(), ErrorKind::kDamaged);
  sqlite3_exec(db, "PRAGMA user_version = 99", nullptr, nullptr, nullptr);
  EXPECT_THAT(OpenError(path_).message(), HasSubstr("newer version"));
  EXPECT_EQ(OpenError(path_).hint(), "update Everlearn");
  sqlite3_close(db);
}

TEST_F(LedgerTest, SaysThatAFileIsDamaged) {
  {
    const auto ledger = OpenLedger(path_, {});
    for (int i = 0; i < 20'000; ++i) ledger->Append("an event of some length " + std::to_string(i));
    ledger->Commit();
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const std::string damaged_path = folder_ / "damaged.db";
  const auto outcome = [&](const std::string& content) {
    std::ofstream(damaged_path, std::ios::binary) << content;
    try {
      const auto ledger = OpenLedger(damaged_path, {Durability::kPower, true});
      return Read(*ledger, 1, UINT64_MAX).size() == 20'000 ? "whole" : "wrong";
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(damaged_path));
      return error.kind() == ErrorKind::kDamaged ? "refused" : "other";
    }
  };
  EXPECT_STREQ(outcome(whole), "whole");
  Random random(3);
  for (int i = 0; i < 50; ++i) EXPECT_STREQ(outcome(whole.substr(0, 1 + random.Below(whole.size() - 1))), "refused");
  for (int i = 0; i < 200; ++i) {
    std::string flipped = whole;
    flipped[random.Below(whole.size())] ^= static_cast<char>(1 << random.Below(8));
    // Unused bytes of a page may change without harm; a wrong answer is never given.
    EXPECT_THAT(outcome(flipped), testing::AnyOf(testing::StrEq("refused"), testing::StrEq("whole")));
  }
}

TEST_F(LedgerTest, MissingEventsAreNoticedWhereverTheyStood) {
  {
    const auto ledger = OpenLedger(path_, {});
    for (int i = 0; i < 2000; ++i) ledger->Append("event " + std::to_string(i));
    ledger->Commit();
    ledger->VerifyChain();
  }
  for (const char* sql :
       {"DELETE FROM segment WHERE first = (SELECT min(first) FROM segment)",
        "DELETE FROM segment WHERE first = (SELECT max(first) FROM segment WHERE first < (SELECT max(first) FROM segment))",
        "UPDATE segment SET body = replace(body, 'event 7', 'event 8'), checksum = checksum"}) {
    const std::string copy = folder_ / "copy.db";
    std::filesystem::copy_file(path_, copy, std::filesystem::copy_options::overwrite_existing);
    sqlite3* db = nullptr;
    sqlite3_open(copy.c_str(), &db);
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    const auto ledger = OpenLedger(copy, {.read_only = true});
    EXPECT_THROW(Read(*ledger, 1, ledger->last_event()), Error) << sql;
    EXPECT_THROW(ledger->VerifyChain(), Error) << sql;
  }
}

TEST_F(LedgerTest, TheLogIsWrittenBackThoughRowsAreReadInBetween) {
  const auto ledger = OpenLedger(path_, {Durability::kProcess});
  const std::string body(20'000, 'x');
  for (uint64_t row = 0; row < 1000; ++row) {
    ledger->PutRow({row, row + 1, row + 1, body});
    ledger->Commit();
    ledger->Row(row);
    ledger->RowsOfKey(row + 1);
    ledger->Note("none");
  }
  EXPECT_LT(std::filesystem::file_size(path_.string() + "-wal"), 8'000'000u);
  EXPECT_GT(std::filesystem::file_size(path_), 15'000'000u);
}

TEST_F(LedgerTest, ReadsFromAFolderThatCannotBeWritten) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  { OpenLedger(path_, {})->SetFact("a", "b"); }
  chmod(folder_.c_str(), 0555);
  EXPECT_EQ(OpenLedger(path_, {Durability::kPower, true})->last_event(), 0u);
  EXPECT_EQ(OpenError(path_).kind(), ErrorKind::kPermission);
  EXPECT_EQ(OpenError(folder_ / "new.db").kind(), ErrorKind::kPermission);
  chmod(folder_.c_str(), 0755);
}

TEST_F(LedgerTest, ReadingCreatesNoFile) {
  { OpenLedger(path_, {}); }
  { OpenLedger(path_, {Durability::kPower, true})->Notices(); }
  EXPECT_THAT(Files(), ElementsAre("a.db"));
}

}  // namespace
}  // namespace everlearn
