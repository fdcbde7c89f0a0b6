// What is special to a ledger in PostgreSQL: a server that goes and comes back, rights, schemas that are none of ours, passwords.
#include "ledger/postgres_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "base/random.h"
#include "data/duck.h"
#include "data/test_files.h"
#include "data/test_postgres.h"

namespace everlearn {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> Events(const Ledger& ledger) {
  std::vector<std::string> events;
  ledger.ReadEvents(1, UINT64_MAX, [&](uint64_t, std::string_view event) { return events.emplace_back(event), true; });
  return events;
}

class PostgresStoreTest : public testing::Test {
 protected:
  TestPostgres& server_ = TestPostgres::Shared();
  std::string schema_ = server_.NewSchema();
  std::string url_ = server_.Url("?schema=" + schema_);

  void Sql(const std::string& sql) { PostgresConnection(server_.Url()).Execute(sql); }
  void EndAllSessions() {
    Sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
  }
  // The address for another user of the same server.
  std::string UrlOf(const std::string& user) { return "postgresql://" + user + "@" + server_.Host() + "/postgres?schema=" + schema_; }
};

TEST_F(PostgresStoreTest, AfterALostSessionOnlyTheLastCommitIsThereAndTheLockIsTakenAgain) {
  const auto store = OpenLedgerStore(url_, {});
  Ledger& ledger = store->Open("t");
  ledger.Append("one");
  ledger.AddNotice({0, 1, "kept", "{}"});
  store->Commit();
  for (const bool sent : {false, true}) {
    for (int i = 0; i < (sent ? 2000 : 1); ++i) ledger.Append("lost");
    ledger.AddNotice({0, 2, "lost", "{}"});
    EndAllSessions();
    EXPECT_EQ(ErrorOf([&] { store->Commit(); }).kind(), ErrorKind::kResource);
    store->Rollback();
    EXPECT_EQ(ledger.last_event(), 1u);
    EXPECT_EQ(ledger.Notices().size(), 1u);
    EXPECT_EQ(ErrorOf([&] { OpenLedgerStore(url_, {}); }).kind(), ErrorKind::kResource);
  }
  EXPECT_EQ(ledger.Append("two"), 2u);
  store->Commit();
  EXPECT_EQ(Events(ledger), (std::vector<std::string>{"one", "two"}));
  ledger.VerifyChain();
}

TEST_F(PostgresStoreTest, WhileTheServerIsGoneEveryCallSaysSoAndAfterwardsItGoesOn) {
  const auto store = OpenLedgerStore(url_, {});
  Ledger& ledger = store->Open("t");
  ledger.Append("one");
  store->Commit();
  ledger.Append("lost");
  server_.Kill();
  EXPECT_EQ(ErrorOf([&] { store->Commit(); }).kind(), ErrorKind::kResource);
  for (int i = 0; i < 3; ++i) {
    store->Rollback();
    EXPECT_EQ(ErrorOf([&] { ledger.Fact("f"); }).kind(), ErrorKind::kResource);
    EXPECT_EQ(ErrorOf([&] { ledger.SetFact("f", "lost"); }).kind(), ErrorKind::kResource);
    EXPECT_EQ(ErrorOf([&] { ledger.Append("lost"), store->Commit(); }).kind(), ErrorKind::kResource);
    EXPECT_EQ(ErrorOf([&] { OpenLedgerStore(url_, {.read_only = true}); }).kind(), ErrorKind::kResource);
  }
  server_.Start();
  store->Rollback();
  EXPECT_EQ(Events(ledger), (std::vector<std::string>{"one"}));
  EXPECT_FALSE(ledger.Fact("f").has_value());
  EXPECT_EQ(ledger.Append("two"), 2u);
  store->Commit();
  EXPECT_EQ(OpenLedger(url_, {.read_only = true})->last_event(), 2u);
}

TEST_F(PostgresStoreTest, AnIdleWriterNoticesThatItsSessionEnded) {
  const auto store = OpenLedgerStore(url_, {});
  Ledger& ledger = store->Open("t");
  store->Commit();
  EndAllSessions();
  EXPECT_EQ(ErrorOf([&] { store->Commit(); }).kind(), ErrorKind::kResource);
  store->Rollback();
  store->Commit();
  EXPECT_EQ(ledger.Append("one"), 1u);
  store->Commit();
}

// Another writer came while this one had no connection.
TEST_F(PostgresStoreTest, WhatAnotherWroteMeanwhileIsSeenAfterReconnecting) {
  const auto store = OpenLedgerStore(url_, {});
  Ledger& ledger = store->Open("t");
  ledger.Append("one");
  store->Commit();
  EndAllSessions();
  {
    const auto other = OpenLedger(url_, {});
    other->Append("two, of another");
    other->Commit();
    ledger.Append("lost");
    EXPECT_EQ(ErrorOf([&] { store->Commit(); }).kind(), ErrorKind::kResource);
    EXPECT_EQ(ErrorOf([&] { ledger.Fact("f"); }).kind(), ErrorKind::kResource);
  }
  store->Rollback();
  EXPECT_EQ(ledger.last_event(), 2u);
  EXPECT_EQ(ledger.Append("three"), 3u);
  store->Commit();
  ledger.VerifyChain();
}

// Requests that are sent again until they are known to be committed, as clients of the service do, while sessions end at any moment.
TEST_F(PostgresStoreTest, EachCommitIsThereExactlyOnceWheneverTheSessionEnds) {
  constexpr int kRequests = 1000;
  std::atomic<bool> done = false;
  std::atomic<int> ended = 0;
  const auto store = OpenLedgerStore(url_, {});
  Ledger& ledger = store->Open("t");
  std::thread harm([&] {
    Random random(5);
    PostgresConnection admin(server_.Url());
    while (!done) {
      std::this_thread::sleep_for(std::chrono::microseconds(random.Below(8'000)));
      ended += static_cast<int>(admin
                                    .Query("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                                           "AND backend_type = 'client backend'")
                                    .Integer(0, 0));
    }
  });
  int failures = 0;
  for (int request = 0; request < kRequests;) {
    const std::string name = "request " + std::to_string(request);
    try {
      if (!ledger.Note(name)) {
        ledger.Append(name);
        ledger.PutNote(name, 0, "");
        ledger.PutRow({ledger.last_event(), ledger.last_event(), 0, name});
        store->Commit();
      }
      ++request;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kResource) << error.message();
      ++failures;
      store->Rollback();
    }
  }
  done = true;
  harm.join();
  store->Rollback();
  EXPECT_GT(failures, 5) << ended;
  const auto reader = OpenLedger(url_, {.read_only = true});
  const std::vector<std::string> events = Events(*reader);
  ASSERT_EQ(events.size(), static_cast<size_t>(kRequests));
  for (int request = 0; request < kRequests; ++request) {
    EXPECT_EQ(events[static_cast<size_t>(request)], "request " + std::to_string(request));
    EXPECT_EQ(reader->Row(static_cast<uint64_t>(request) + 1)->body, "request " + std::to_string(request));
  }
  reader->VerifyChain();
}

// What `process` gives up: the server may lose the last commits when it crashes, but whole ones only, and none before a kept one.
TEST_F(PostgresStoreTest, ACrashOfTheServerTakesNothingFromPowerAndOnlyTheEndFromProcess) {
  for (const Durability durability : {Durability::kPower, Durability::kProcess}) {
    const uint64_t before = OpenLedger(url_, {})->last_event();
    uint64_t committed = 0;
    {
      const auto ledger = OpenLedger(url_, {durability});
      for (int i = 0; i < 200; ++i) {
        ledger->Append("event");
        ledger->SetFact("last", std::to_string(ledger->last_event()));
        ledger->Commit();
      }
      committed = ledger->last_event();
      server_.Kill();
    }
    server_.Start();
    const auto ledger = OpenLedger(url_, {});
    EXPECT_LE(ledger->last_event(), committed);
    EXPECT_GE(ledger->last_event(), durability == Durability::kPower ? committed : before);
    EXPECT_EQ(ledger->Fact("last"), std::to_string(ledger->last_event()));
    ledger->VerifyChain();
  }
}

TEST_F(PostgresStoreTest, AFailedStatementTakesBackTheTransactionAndNothingElse) {
  const auto store = OpenLedgerStore(url_, {});
  Ledger& ledger = store->Open("t");
  ledger.Append("one");
  ledger.PutRow({7, 1, 0, "body"});
  store->Commit();
  ledger.Append("lost");
  ledger.PutRow({7, 2, 0, "twice"});  // the server will refuse it
  EXPECT_EQ(ErrorOf([&] { store->Commit(); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ledger.last_event(), 1u);
  ledger.PutRow({7, 2, 0, "twice"});
  EXPECT_EQ(ErrorOf([&] { ledger.Row(7); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([&] { store->Commit(); }).kind(), ErrorKind::kResource);  // never half of it
  ledger.Append("two");
  store->Commit();
  EXPECT_EQ(Events(ledger), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(ledger.Row(7)->body, "body");
}

TEST_F(PostgresStoreTest, RightsAreWhatTheServerGives) {
  Sql("CREATE ROLE stranger_" + schema_ + " LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC");
  const std::string stranger = UrlOf("stranger_" + schema_);
  EXPECT_EQ(ErrorOf([&] { OpenLedgerStore(stranger, {}); }).kind(), ErrorKind::kPermission);
  // A schema that somebody made for it is enough.
  Sql("CREATE SCHEMA " + schema_ + " AUTHORIZATION stranger_" + schema_);
  const auto ledger = OpenLedger(stranger, {});
  ledger->Append("one");
  ledger->Commit();

  Sql("CREATE ROLE reader_" + schema_ + " LOGIN");
  const std::string reader = UrlOf("reader_" + schema_);
  EXPECT_EQ(ErrorOf([&] { OpenLedger(reader, {.read_only = true}); }).kind(), ErrorKind::kPermission);
  Sql("GRANT USAGE ON SCHEMA " + schema_ + " TO reader_" + schema_ + "; GRANT SELECT ON ALL TABLES IN SCHEMA " + schema_ + " TO reader_" +
      schema_);
  const auto seen = OpenLedger(reader, {.read_only = true});
  EXPECT_EQ(Events(*seen), (std::vector<std::string>{"one"}));
  EXPECT_EQ(ErrorOf([&] { seen->SetFact("a", "b"), seen->Commit(); }).kind(), ErrorKind::kPermission);
}

TEST_F(PostgresStoreTest, RefusesWhatIsNoLedger) {
  Sql("CREATE SCHEMA " + schema_ + "; CREATE TABLE " + schema_ + ".segment(a INT)");
  for (const bool read_only : {false, true}) {
    const Error error = ErrorOf([&] { OpenLedgerStore(url_, {Durability::kPower, read_only}); });
    EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    EXPECT_THAT(error.message(), HasSubstr("not an Everlearn ledger"));
  }
  const std::string other = server_.NewSchema(), url = server_.Url("?schema=" + other);
  OpenLedgerStore(url, {});
  Sql("UPDATE " + other + ".ledger SET version = 99");
  EXPECT_EQ(ErrorOf([&] { OpenLedgerStore(url, {}); }).hint(), "update Everlearn");
  Sql("DELETE FROM " + other + ".ledger");
  EXPECT_EQ(ErrorOf([&] { OpenLedgerStore(url, {}); }).kind(), ErrorKind::kDamaged);
  const std::string nowhere = "postgresql://tester@" + server_.Host() + "/nowhere";
  EXPECT_EQ(ErrorOf([&] { OpenLedgerStore(nowhere, {}); }).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf([&] { OpenLedgerStore("postgresql://tester@%2Fnowhere/postgres", {}); }).kind(), ErrorKind::kResource);
}

TEST_F(PostgresStoreTest, MissingAndForgedEventsAreNoticed) {
  for (const char* sql :
       {"DELETE FROM segment WHERE first = (SELECT min(first) FROM segment)",
        "DELETE FROM segment WHERE first = (SELECT max(first) FROM segment WHERE first < (SELECT max(first) FROM segment))",
        "UPDATE segment SET body = set_byte(body, 20, 0)"}) {
    const std::string schema = server_.NewSchema(), url = server_.Url("?schema=" + schema);
    {
      const auto ledger = OpenLedger(url, {});
      for (int i = 0; i < 2000; ++i) ledger->Append("event " + std::to_string(i));
      ledger->Commit();
      ledger->VerifyChain();
    }
    Sql("SET search_path TO " + schema + "; " + sql);
    const auto ledger = OpenLedger(url, {.read_only = true});
    EXPECT_EQ(ErrorOf([&] { Events(*ledger); }).kind(), ErrorKind::kDamaged) << sql;
    EXPECT_EQ(ErrorOf([&] { ledger->VerifyChain(); }).kind(), ErrorKind::kDamaged) << sql;
  }
}

TEST_F(PostgresStoreTest, NoMessageHoldsAPassword) {
  const TestFolder folder;
  const std::string secret = "s3cret";
  for (const std::string& url :
       {"postgresql://tester:s3cret@" + server_.Host() + "/nowhere", std::string("postgresql://tester:s3cret@%2Fnowhere/postgres"),
        std::string("postgresql://tester:s3cret/@localhost:port/db"), std::string("postgresql://tester:a@s3cret@localhost/db"),
        "postgresql://tester@" + server_.Host() + "/nowhere?password=s3cret",
        "postgresql://tester:s3cret@" + server_.Host() + "/postgres?schema=none"}) {
    const Error reading = ErrorOf([&] { OpenLedger(url, {.read_only = true}); });
    const Error copying = ErrorOf([&] { BackupLedger(url, folder.Path("copy.db")); });
    for (const Error& error : {reading, copying}) {
      EXPECT_NE(error.message(), "no error") << url;
      EXPECT_THAT(error.message() + error.hint(), Not(HasSubstr(secret)));
    }
  }
}

}  // namespace
}  // namespace everlearn
