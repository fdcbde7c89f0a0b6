// What every ledger keeps, whatever it lies in: the same tests over an SQLite file and over a schema of a PostgreSQL server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"
#include "data/test_files.h"
#include "data/test_postgres.h"
#include "ledger/ledger.h"

namespace everlearn {
namespace {

using testing::HasSubstr;
using Events = std::vector<std::pair<uint64_t, std::string>>;

Events Read(const Ledger& ledger, uint64_t first, uint64_t last) {
  Events events;
  ledger.ReadEvents(first, last, [&](uint64_t number, std::string_view event) { return events.emplace_back(number, event), true; });
  return events;
}

class LedgerContract : public testing::TestWithParam<std::string> {
 protected:
  LedgerContract() {
    if (GetParam() == "File") path_ = folder_.Path("a.db");
    else path_ = TestPostgres::Shared().Url("?schema=" + TestPostgres::Shared().NewSchema());
  }

  size_t FilesInFolder() const {
    const std::filesystem::directory_iterator entries(folder_.Path(""));
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

  TestFolder folder_;
  std::string path_;
};

INSTANTIATE_TEST_SUITE_P(Over, LedgerContract, testing::Values("File", "Postgres"), [](const auto& place) { return place.param; });

TEST_P(LedgerContract, KeepsEverythingAcrossOpenings) {
  {
    const auto ledger = OpenLedger(path_, {});
    EXPECT_EQ(ledger->last_event(), 0u);
    EXPECT_THAT(ledger->Checkpoints(), testing::IsEmpty());
    ledger->SetFact("task", "late");
    ledger->SetFact("task", "later");
    EXPECT_EQ(ledger->Append("a"), 1u);
    EXPECT_EQ(ledger->Append(std::string("\0\xff", 2)), 2u);
    EXPECT_EQ(ledger->Append(""), 3u);
    ledger->AddNotice({0, 2, "promoted", "{\"member\": \"\xff\"}"});
    ledger->AddNotice({0, 1, "drift", "[]"});
    ledger->AddDecision({1, 3, "{\"a\":1}"});
    ledger->PutModel("h1", "linear", std::string("\0model", 6));
    ledger->PutModel("h1", "linear", "ignored");
    for (uint64_t event = 1; event <= 4; ++event) ledger->PutCheckpoint({event, "state" + std::to_string(event)});
    ledger->Commit();
  }
  for (const bool read_only : {false, true}) {
    const auto ledger = OpenLedger(path_, {Durability::kProcess, read_only});
    EXPECT_EQ(ledger->last_event(), 3u);
    EXPECT_EQ(Read(*ledger, 1, 99), (Events{{1, "a"}, {2, std::string("\0\xff", 2)}, {3, ""}}));
    EXPECT_EQ(Read(*ledger, 2, 2), (Events{{2, std::string("\0\xff", 2)}}));
    EXPECT_EQ(ledger->Fact("task"), "later");
    EXPECT_EQ(ledger->Fact("other"), std::nullopt);
    ASSERT_EQ(ledger->Notices().size(), 2u);
    EXPECT_EQ(ledger->Notices()[0].kind, "promoted");
    EXPECT_EQ(ledger->Notices()[0].body, "{\"member\": \"\xff\"}");
    EXPECT_EQ(ledger->Notices()[1].event, 1u);
    EXPECT_EQ(ledger->Notices(1).front().number, 2u);
    ASSERT_EQ(ledger->Decisions().size(), 1u);
    EXPECT_EQ(ledger->Decisions()[0].body, "{\"a\":1}");
    EXPECT_EQ(ledger->Model("h1"), std::string("\0model", 6));
    EXPECT_EQ(ledger->Model("h2"), std::nullopt);
    ASSERT_EQ(ledger->Checkpoints().size(), 2u);
    EXPECT_EQ(ledger->Checkpoints().front().event, 4u);
    EXPECT_EQ(ledger->Checkpoints().front().state, "state4");
  }
}

TEST_P(LedgerContract, ReadsAnyRangeOfManySegmentsAndTheUncommittedRest) {
  const auto ledger = OpenLedger(path_, {Durability::kProcess});
  Random random(7);
  Events all;
  // More segments than are read at once.
  while (all.size() < 5000) {
    all.emplace_back(all.size() + 1, std::string(random.Below(300), static_cast<char>(random.Below(256))));
    EXPECT_EQ(ledger->Append(all.back().second), all.size());
    if (random.Below(30) == 0) ledger->Commit();
  }
  EXPECT_EQ(Read(*ledger, 1, UINT64_MAX), all);
  for (int i = 0; i < 100; ++i) {
    const uint64_t first = 1 + random.Below(all.size()), last = first + random.Below(all.size() - first + 1);
    EXPECT_EQ(Read(*ledger, first, last), Events(all.begin() + static_cast<long>(first) - 1, all.begin() + static_cast<long>(last)));
  }
  EXPECT_TRUE(Read(*ledger, 5001, 6000).empty());
  int visited = 0;
  ledger->ReadEvents(100, 4000, [&](uint64_t, std::string_view) { return ++visited < 5; });
  EXPECT_EQ(visited, 5);
  ledger->Commit();
  ledger->VerifyChain();
}

TEST_P(LedgerContract, AnEventMayBeLargerThanASegment) {
  const std::string large(1 << 20, 'x');
  const auto ledger = OpenLedger(path_, {});
  ledger->Append("small");
  ledger->Append(large);
  ledger->Commit();
  EXPECT_EQ(Read(*ledger, 2, 2), (Events{{2, large}}));
}

TEST_P(LedgerContract, WhatWasNotCommittedIsGone) {
  OpenLedger(path_, {})->Append("lost");
  {
    const auto ledger = OpenLedger(path_, {});
    EXPECT_EQ(ledger->last_event(), 0u);
    for (int i = 0; i < 2000; ++i) ledger->Append("lost, though its segment was written");
    ledger->SetFact("lost", "1");
    ledger->AddNotice({0, 1, "lost", "{}"});
  }
  const auto store = OpenLedgerStore(path_, {});
  Ledger& ledger = store->Open("task");
  EXPECT_EQ(ledger.last_event(), 0u);
  EXPECT_FALSE(ledger.Fact("lost").has_value());
  ledger.Append("lost");
  ledger.AddNotice({0, 1, "lost", "{}"});
  store->Rollback();
  EXPECT_EQ(ledger.Append("kept"), 1u);
  ledger.AddNotice({0, 1, "kept", "{}"});
  store->Commit();
  EXPECT_EQ(Read(ledger, 1, 9), (Events{{1, "kept"}}));
  ASSERT_EQ(ledger.Notices().size(), 1u);
  EXPECT_EQ(ledger.Notices()[0].number, 1u);
}

TEST_P(LedgerContract, RefusesASecondWriterButNotReaders) {
  const auto writer = OpenLedger(path_, {});
  writer->Append("a");
  writer->Commit();
  const Error error = ErrorOf([&] { OpenLedger(path_, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_THAT(error.message(), HasSubstr("is being written"));
  EXPECT_THAT(error.message(), HasSubstr(path_));

  const auto reader = OpenLedger(path_, {Durability::kPower, true});
  EXPECT_EQ(Read(*reader, 1, 9).size(), 1u);
  writer->Append("b");
  writer->Commit();
  EXPECT_EQ(Read(*reader, 1, 9).size(), 2u);
}

TEST_P(LedgerContract, NamesTheOtherProcessThatWrites) {
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
  const Error error = ErrorOf([&] { OpenLedger(path_, {}); });
  EXPECT_THAT(error.message(), HasSubstr("is being written by another process ("));
  EXPECT_THAT(error.message(), HasSubstr(std::to_string(child)));
  EXPECT_EQ(OpenLedger(path_, {Durability::kPower, true})->last_event(), 1u);
  ASSERT_EQ(write(done[1], &byte, 1), 1);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(OpenLedger(path_, {})->last_event(), 1u);
  for (const int end : {ready[0], ready[1], done[0], done[1]}) close(end);
}

TEST_P(LedgerContract, ReadingMakesNoLedger) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ErrorOf([&] { OpenLedger(path_, {.read_only = true}); }).kind(), ErrorKind::kNotFound);
  OpenLedger(path_, {});
  EXPECT_EQ(ErrorOf([&] { OpenLedger(path_, {.read_only = true}, "other"); }).kind(), ErrorKind::kNotFound);
  EXPECT_NE(ErrorOf([&] { OpenLedger(path_, {.read_only = true})->SetFact("a", "b"), OpenLedger(path_, {})->Commit(); }).message(), "");
}

TEST_P(LedgerContract, TasksOfOneStoreAreCommittedTogetherAndKeptApart) {
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
  EXPECT_EQ(ErrorOf([&] { OpenLedger(path_, {.read_only = true}); }).kind(), ErrorKind::kUsage);
  EXPECT_EQ(OpenLedger(path_, {.read_only = true}, "b")->last_event(), 2u);
}

TEST_P(LedgerContract, RowsAndOutcomesAreReadInOrderBeforeAndAfterTheCommit) {
  const auto ledger = OpenLedger(path_, {});
  constexpr uint64_t kRows = 1500;  // more than are read at once
  for (uint64_t row = 0; row < kRows; ++row) {
    ledger->PutRow({row, row + 1, UINT64_MAX - row % 7, "body " + std::to_string(row)});
    if (row % 2 == 0) ledger->PutOutcome({row, row + 1, static_cast<double>(row) / 3});
    if (row % 4 == 0) ledger->PutOutcome({row, row + 2, -1.0});  // a correction keeps the event
  }
  for (const bool committed : {false, true}) {
    if (committed) ledger->Commit();
    uint64_t expected = 10;
    ledger->ReadRows(10, [&](const LedgerRow& row, const double* truth) {
      EXPECT_EQ(row.row, expected);
      EXPECT_EQ(row.event, expected + 1);
      EXPECT_EQ(row.key, UINT64_MAX - expected % 7);
      EXPECT_EQ(row.body, "body " + std::to_string(expected));
      EXPECT_EQ(truth != nullptr, expected % 2 == 0);
      EXPECT_EQ(truth == nullptr ? 0.0 : *truth, expected % 2 != 0 ? 0.0 : expected % 4 == 0 ? -1.0 : static_cast<double>(expected) / 3);
      ++expected;
      return expected < kRows || !ledger->Row(expected).has_value();  // asks in between
    });
    EXPECT_EQ(expected, kRows);
    EXPECT_EQ(ledger->RowsOfKey(UINT64_MAX - 3).size(), 214u);
    EXPECT_EQ(ledger->NewestOutcomes(10).first_row, 1480u);
    EXPECT_EQ(ledger->NewestOutcomes(10).count, 10u);
    EXPECT_EQ(ledger->NewestOutcomes(UINT64_MAX).first_row, 0u);
    EXPECT_EQ(ledger->NewestOutcomes(UINT64_MAX).count, kRows / 2);
    EXPECT_EQ(ledger->NewestOutcomes(0).count, 0u);
    EXPECT_EQ(ledger->RowsOfKey(UINT64_MAX - 3)[1], 10u);
    EXPECT_EQ(ledger->Outcome(4)->event, 5u);
  }
}

TEST_P(LedgerContract, AnErasedRowLeavesItsNumberAndTheChain) {
  const auto ledger = OpenLedger(path_, {});
  for (uint64_t row = 0; row < 3; ++row) {
    ledger->Append("event");
    ledger->PutRow({row, row + 1, 9, "private"});
  }
  ledger->Commit();
  const std::string chain = ledger->ChainHead();
  ledger->EraseRow(1);
  EXPECT_EQ(ledger->Row(1)->body, "");
  ledger->Commit();
  EXPECT_EQ(ledger->RowsOfKey(9), (std::vector<uint64_t>{0, 2}));
  EXPECT_EQ(ledger->Row(1)->event, 2u);
  EXPECT_EQ(ledger->ChainHead(), chain);
  ledger->VerifyChain();
}

TEST_P(LedgerContract, NotesComeAndGo) {
  const auto ledger = OpenLedger(path_, {});
  const std::string odd("n/\xff\0\x01", 5);  // a name may be any bytes
  ledger->PutNote(odd, 1, std::string("\0x", 2));
  ledger->PutNote("n/a", 2, "old");
  ledger->PutNote("n/a", 20, "new");
  ledger->PutNote("m/a", 1, "kept");
  ledger->PutNote("n0", 1, "kept");
  EXPECT_EQ(ledger->Note(odd), std::string("\0x", 2));
  ledger->Commit();
  EXPECT_EQ(ledger->Note("n/a"), "new");
  std::vector<std::string> names;
  ledger->ReadNotes("n/", "n0", [&](const std::string& name, std::string_view value) { names.push_back(name + "=" + std::string(value)); });
  EXPECT_EQ(names, (std::vector<std::string>{"n/a=new", odd + "=" + std::string("\0x", 2)}));
  ledger->DropNotes("n/", "n0", 20);
  EXPECT_FALSE(ledger->Note(odd).has_value());
  EXPECT_TRUE(ledger->Note("n/a").has_value());
  ledger->DropNotes("n/", "n0", 21);
  ledger->Commit();
  EXPECT_FALSE(ledger->Note("n/a").has_value());
  EXPECT_EQ(ledger->Note("m/a"), "kept");
  EXPECT_EQ(ledger->Note("n0"), "kept");
}

TEST_P(LedgerContract, ABackupIsWholeWhileTheWriterGoesOn) {
  const std::string copy = folder_.Path("copy.db");
  std::string chain;
  {
    const auto store = OpenLedgerStore(path_, {});
    Ledger& ledger = store->Open("t");
    for (int i = 0; i < 3000; ++i) ledger.Append("event " + std::to_string(i));
    ledger.SetFact("f", "v");
    ledger.AddNotice({0, 1, "kind", "body"});
    ledger.AddDecision({7, 2, "decided"});
    ledger.PutModel("hash", "name", std::string("\0bytes", 6));
    ledger.PutCheckpoint({5, "state"});
    ledger.PutRow({0, 1, 0, "body"});
    ledger.PutOutcome({0, 3, 0.25});
    ledger.PutNote("note", -5, "value");
    store->Open("u").Append("other");
    store->Commit();
    chain = ledger.ChainHead();
    ledger.Append("not committed");
    ledger.SetFact("f", "not committed");
    BackupLedger(path_, copy);
    store->Commit();
    EXPECT_NE(ledger.ChainHead(), chain);
  }
  const auto store = OpenLedgerStore(copy, {});
  Ledger& ledger = store->Open("t");
  EXPECT_EQ(store->Tasks(), (std::vector<std::string>{"t", "u"}));
  EXPECT_EQ(ledger.ChainHead(), chain);
  ledger.VerifyChain();
  EXPECT_EQ(Read(ledger, 3000, UINT64_MAX), (Events{{3000, "event 2999"}}));
  EXPECT_EQ(ledger.Fact("f"), "v");
  EXPECT_EQ(ledger.Notices()[0].body, "body");
  EXPECT_EQ(ledger.Decisions()[0].number, 7);
  EXPECT_EQ(ledger.Model("hash"), std::string("\0bytes", 6));
  EXPECT_EQ(ledger.Checkpoints()[0].state, "state");
  EXPECT_EQ(ledger.Row(0)->key, 0u);
  EXPECT_EQ(ledger.Outcome(0)->truth, 0.25);
  EXPECT_EQ(ledger.Note("note"), "value");
  ledger.SetFact("f", "goes on");
  ledger.Append("goes on");
  store->Commit();
  EXPECT_EQ(ErrorOf([&] { BackupLedger(path_, copy); }).kind(), ErrorKind::kUsage);
}

// A child commits in a loop and says each number after Commit() returned; it is killed at a random moment.
TEST_P(LedgerContract, WhatWasCommittedSurvivesKill9) {
  for (const Durability durability : {Durability::kPower, Durability::kProcess}) {
    for (int round = 0; round < 10; ++round) {
      int pipe_ends[2];
      ASSERT_EQ(pipe(pipe_ends), 0);
      const uint64_t before = OpenLedger(path_, {})->last_event();
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

      // A reader comes before a writer has tidied up, and leaves everything as it was.
      const size_t files = FilesInFolder();
      const uint64_t seen_by_reader = OpenLedger(path_, {Durability::kPower, true})->last_event();
      EXPECT_EQ(FilesInFolder(), files);
      EXPECT_GE(seen_by_reader, acknowledged);
      const auto ledger = OpenLedger(path_, {durability});
      EXPECT_GE(ledger->last_event(), seen_by_reader);  // a server may still have been ending the last commit
      EXPECT_EQ(ledger->Fact("last"), std::to_string(ledger->last_event()));
      uint64_t count = 0;
      for (const auto& [n, event] : Read(*ledger, 1, UINT64_MAX)) count += event == "event " + std::to_string(n);
      EXPECT_EQ(count, ledger->last_event());
    }
  }
}

}  // namespace
}  // namespace everlearn
