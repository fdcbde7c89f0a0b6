// The ledger as its callers see it: what is kept, who may open what, and that kill -9 takes nothing that was committed.
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

TEST_F(LedgerTest, KeepsEverythingAcrossOpenings) {
  {
    const auto ledger = OpenLedger(path_, {});
    EXPECT_EQ(ledger->last_event(), 0u);
    EXPECT_THAT(ledger->Checkpoints(), testing::IsEmpty());
    ledger->SetFact("task", "late");
    ledger->SetFact("task", "later");
    EXPECT_EQ(ledger->Append("a"), 1u);
    EXPECT_EQ(ledger->Append(std::string("\0\xff", 2)), 2u);
    EXPECT_EQ(ledger->Append(""), 3u);
    ledger->AddNotice({0, 2, "promoted", "{}"});
    ledger->AddNotice({0, 1, "drift", "[]"});
    ledger->AddDecision({1, 3, "{\"a\":1}"});
    ledger->PutModel("h1", "linear", std::string("\0model", 6));
    ledger->PutModel("h1", "linear", "ignored");
    for (uint64_t event = 1; event <= 4; ++event) ledger->PutCheckpoint({event, "state" + std::to_string(event)});
    ledger->Commit();
  }
  EXPECT_THAT(Files(), ElementsAre("a.db"));
  for (const bool read_only : {false, true}) {
    const auto ledger = OpenLedger(path_, {Durability::kProcess, read_only});
    EXPECT_EQ(ledger->last_event(), 3u);
    EXPECT_EQ(Read(*ledger, 1, 99), (Events{{1, "a"}, {2, std::string("\0\xff", 2)}, {3, ""}}));
    EXPECT_EQ(Read(*ledger, 2, 2), (Events{{2, std::string("\0\xff", 2)}}));
    EXPECT_EQ(ledger->Fact("task"), "later");
    EXPECT_EQ(ledger->Fact("other"), std::nullopt);
    ASSERT_EQ(ledger->Notices().size(), 2u);
    EXPECT_EQ(ledger->Notices()[0].kind, "promoted");
    EXPECT_EQ(ledger->Notices()[1].event, 1u);
    ASSERT_EQ(ledger->Decisions().size(), 1u);
    EXPECT_EQ(ledger->Decisions()[0].body, "{\"a\":1}");
    EXPECT_EQ(ledger->Model("h1"), std::string("\0model", 6));
    EXPECT_EQ(ledger->Model("h2"), std::nullopt);
    EXPECT_EQ(ledger->Checkpoints().front().event, 4u);
    EXPECT_EQ(ledger->Checkpoints().front().state, "state4");
  }
}

TEST_F(LedgerTest, KeepsTheNewestTwoCheckpoints) {
  {
    const auto ledger = OpenLedger(path_, {});
    for (uint64_t event : {10, 20, 30}) ledger->PutCheckpoint({event, "s"});
    ledger->Commit();
  }
  sqlite3* db = nullptr;
  sqlite3_open(path_.c_str(), &db);
  std::string found;
  const auto add = [](void* out, int, char** values, char**) { return *static_cast<std::string*>(out) += values[0], 0; };
  sqlite3_exec(db, "SELECT group_concat(event & ((1 << 44) - 1)) FROM checkpoint", add, &found, nullptr);
  sqlite3_close(db);
  EXPECT_EQ(found, "20,30");
}

TEST_F(LedgerTest, ReadsAnyRangeOfManySegmentsAndTheUncommittedRest) {
  for (const std::string& path : {std::string(), path_.string()}) {
    const auto ledger = OpenLedger(path, {Durability::kProcess});
    Random random(7);
    Events all;
    while (all.size() < 5000) {
      all.emplace_back(all.size() + 1, std::string(random.Below(300), static_cast<char>(random.Below(256))));
      EXPECT_EQ(ledger->Append(all.back().second), all.size());
      if (random.Below(400) == 0) ledger->Commit();
    }
    EXPECT_EQ(Read(*ledger, 1, UINT64_MAX), all);
    for (int i = 0; i < 100; ++i) {
      const uint64_t first = 1 + random.Below(all.size()), last = first + random.Below(all.size() - first + 1);
      EXPECT_EQ(Read(*ledger, first, last), Events(all.begin() + static_cast<long>(first) - 1, all.begin() + static_cast<long>(last)));
    }
    EXPECT_TRUE(Read(*ledger, 5001, 6000).empty());
    int visited = 0;
    ledger->ReadEvents(100, 200, [&](uint64_t, std::string_view) { return ++visited < 5; });
    EXPECT_EQ(visited, 5);
  }
}

TEST_F(LedgerTest, AnEventMayBeLargerThanASegment) {
  const std::string large(1 << 20, 'x');
  const auto ledger = OpenLedger(path_, {});
  ledger->Append("small");
  ledger->Append(large);
  ledger->Commit();
  EXPECT_EQ(Read(*ledger, 2, 2), (Events{{2, large}}));
}

TEST_F(LedgerTest, WhatWasNotCommittedIsGone) {
  OpenLedger(path_, {})->Append("lost");
  {
    const auto ledger = OpenLedger(path_, {});
    EXPECT_EQ(ledger->last_event(), 0u);
    for (int i = 0; i < 2000; ++i) ledger->Append("lost, though its segment was written");
    ledger->SetFact("lost", "1");
  }
  EXPECT_EQ(OpenLedger(path_, {})->last_event(), 0u);
  EXPECT_FALSE(OpenLedger(path_, {})->Fact("lost").has_value());
}

TEST_F(LedgerTest, RefusesASecondWriterButNotReaders) {
  const auto writer = OpenLedger(path_, {});
  writer->Append("a");
  writer->Commit();
  const Error error = OpenError(path_);
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_THAT(error.message(), HasSubstr("is being written"));

  // Another spelling of the path is the same file.
  fs::create_directory(folder_ / "sub");
  EXPECT_EQ(OpenError(folder_ / "sub" / ".." / "a.db").kind(), ErrorKind::kResource);

  const auto reader = OpenLedger(path_, {Durability::kPower, true});
  EXPECT_EQ(Read(*reader, 1, 9).size(), 1u);
  writer->Append("b");
  writer->Commit();
  EXPECT_EQ(Read(*reader, 1, 9).size(), 2u);
}

TEST_F(LedgerTest, NamesTheOtherProcessThatWrites) {
  int ready[2], done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  char byte = 0;
  const pid_t child = fork();
  if (child == 0) {
    const auto ledger = OpenLedger(path_, {});
    ledger->Append("a");
    ledger->Commit();
    if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1) _exit(1);
    _exit(0);  // without closing
  }
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_THAT(OpenError(path_).message(), HasSubstr("is being written by another process (" + std::to_string(child) + ")"));
  EXPECT_EQ(OpenLedger(path_, {Durability::kPower, true})->last_event(), 1u);
  ASSERT_EQ(write(done[1], &byte, 1), 1);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(OpenLedger(path_, {})->last_event(), 1u);
  for (const int end : {ready[0], ready[1], done[0], done[1]}) close(end);
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

TEST_F(LedgerTest, TasksOfOneStoreAreCommittedTogetherAndKeptApart) {
  {
    const auto store = OpenLedgerStore(path_, {});
    Ledger& a = store->Open("a");
    Ledger& b = store->Open("b");
    a.Append("a1");
    b.Append("b1");
    b.Append("b2");
    a.PutRow({0, 1, 77, "body"});
    b.PutRow({0, 1, 77, "other"});
    a.PutOutcome({0, 1, 0.5});
    a.PutNote("early/1", 5, "x");
    store->Commit();
    a.Append("lost");
    b.Append("lost");
  }
  const auto store = OpenLedgerStore(path_, {.read_only = true});
  EXPECT_EQ(store->Tasks(), (std::vector<std::string>{"a", "b"}));
  Ledger& a = store->Open("a");
  Ledger& b = store->Open("b");
  EXPECT_EQ(Read(a, 1, UINT64_MAX), (Events{{1, "a1"}}));
  EXPECT_EQ(Read(b, 1, UINT64_MAX), (Events{{1, "b1"}, {2, "b2"}}));
  EXPECT_EQ(a.RowsOfKey(77), (std::vector<uint64_t>{0}));
  EXPECT_EQ(b.Row(0)->body, "other");
  EXPECT_EQ(a.Outcome(0)->truth, 0.5);
  EXPECT_FALSE(b.Outcome(0).has_value());
  EXPECT_EQ(a.Note("early/1"), "x");
  EXPECT_FALSE(b.Note("early/1").has_value());
  EXPECT_NE(a.ChainHead(), b.ChainHead());
  EXPECT_THROW(store->Open("c"), Error);
  EXPECT_THROW(OpenLedger(path_, {.read_only = true}), Error);
  EXPECT_EQ(OpenLedger(path_, {.read_only = true}, "b")->last_event(), 2u);
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

TEST_F(LedgerTest, ABackupIsWholeWhileTheWriterGoesOn) {
  const auto ledger = OpenLedger(path_, {});
  ledger->Append("one");
  ledger->Commit();
  ledger->Append("not committed");
  const std::string copy = folder_ / "copy.db";
  BackupLedger(path_, copy);
  EXPECT_EQ(Read(*OpenLedger(copy, {.read_only = true}), 1, UINT64_MAX), (Events{{1, "one"}}));
  EXPECT_THROW(BackupLedger(path_, copy), Error);
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

// A child commits in a loop and says each number after Commit() returned; it is killed at a random moment.
TEST_F(LedgerTest, WhatWasCommittedSurvivesKill9) {
  for (const Durability durability : {Durability::kPower, Durability::kProcess}) {
    for (int round = 0; round < 10; ++round) {
      int pipe_ends[2];
      ASSERT_EQ(pipe(pipe_ends), 0);
      const uint64_t before = fs::exists(path_) ? OpenLedger(path_, {Durability::kPower, true})->last_event() : 0;
      const pid_t child = fork();
      if (child == 0) {
        const auto ledger = OpenLedger(path_, {durability});
        while (true) {
          for (int i = 0; i < 700; ++i) ledger->Append("event " + std::to_string(ledger->last_event() + 1));
          ledger->SetFact("last", std::to_string(ledger->last_event()));
          ledger->Commit();
          const uint64_t last = ledger->last_event();
          if (write(pipe_ends[1], &last, sizeof last) != sizeof last) _exit(1);
        }
      }
      close(pipe_ends[1]);
      uint64_t acknowledged = 0, number = 0;
      for (int i = 0; i < 1 + 3 * round && read(pipe_ends[0], &number, sizeof number) == sizeof number; ++i) acknowledged = number;
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      while (read(pipe_ends[0], &number, sizeof number) == sizeof number) acknowledged = number;
      close(pipe_ends[0]);
      EXPECT_GT(acknowledged, before);

      uint64_t seen_by_reader = 0;
      {
        const auto files = Files();
        const auto reader = OpenLedger(path_, {Durability::kPower, true});
        seen_by_reader = reader->last_event();
        EXPECT_EQ(Files(), files);
      }
      const auto ledger = OpenLedger(path_, {durability});
      EXPECT_EQ(ledger->last_event(), seen_by_reader);
      EXPECT_GE(ledger->last_event(), acknowledged);
      EXPECT_EQ(ledger->Fact("last"), std::to_string(ledger->last_event()));
      uint64_t count = 0;
      for (const auto& [n, event] : Read(*ledger, 1, UINT64_MAX)) count += event == "event " + std::to_string(n);
      EXPECT_EQ(count, ledger->last_event());
    }
  }
}

}  // namespace
}  // namespace everlearn
