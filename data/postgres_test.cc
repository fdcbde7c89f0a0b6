// The connection to PostgreSQL, and the reader of its rows, against a real server.
#include "data/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "base/error.h"
#include "data/growing_source.h"
#include "data/postgres_reader.h"
#include "data/test_files.h"
#include "data/test_postgres.h"

namespace everlearn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

// Addresses are taken apart without a server.
TEST(PostgresUrl, ParametersAreTakenOut) {
  const auto take = [](std::string url, std::string* rest) {
    std::string value = TakeUrlParameter(&url, "schema");
    *rest = url;
    return value;
  };
  std::string rest;
  EXPECT_EQ(take("postgresql://h/d?schema=a", &rest), "a");
  EXPECT_EQ(rest, "postgresql://h/d");
  EXPECT_EQ(take("postgresql://h/d?x=1&schema=a&y=2", &rest), "a");
  EXPECT_EQ(rest, "postgresql://h/d?x=1&y=2");
  EXPECT_EQ(take("postgresql://h/d?schema=a&y=2", &rest), "a");
  EXPECT_EQ(rest, "postgresql://h/d?y=2");
  EXPECT_EQ(take("postgresql://h/schema=a?schemas=b", &rest), "");
  EXPECT_EQ(rest, "postgresql://h/schema=a?schemas=b");
}

TEST(PostgresUrl, PasswordsAreHidden) {
  EXPECT_EQ(ShownPlace("postgresql://u:p@h:1/d"), "postgresql://u:***@h:1/d");
  EXPECT_EQ(ShownPlace("postgresql://u:p@@/h/d"), "postgresql://u:***@/h/d");
  EXPECT_EQ(ShownPlace("postgresql://u@h:1/d?password=p&x=1"), "postgresql://u@h:1/d?password=***&x=1");
  EXPECT_EQ(ShownPlace("postgresql://h/d?sslpassword=p"), "postgresql://h/d?sslpassword=***");
  EXPECT_EQ(ShownPlace("a:b@c.csv"), "a:b@c.csv");
}

class PostgresTest : public testing::Test {
 protected:
  TestPostgres& server_ = TestPostgres::Shared();
  PostgresConnection connection_{server_.Url()};

  Table Read(const std::string& query, std::vector<std::string>* warnings = nullptr) {
    return ReadTable(server_.Url(), {.query = query}, warnings);
  }
};

TEST_F(PostgresTest, ParametersAndResultsKeepTheirValues) {
  const PostgresResult result =
      connection_.Query("SELECT $1::bigint, $2::double precision, $3::text, $4::bytea, $5::text IS NULL, $1::smallint, NULL::bigint",
                        {PostgresValue::Integer(-12345), PostgresValue::Number(0.1), PostgresValue::Bytes("ä'"),
                         PostgresValue::Bytes(std::string("\0\xff", 2)), PostgresValue::Null()});
  ASSERT_EQ(result.rows(), 1);
  EXPECT_EQ(result.Integer(0, 0), -12345);
  EXPECT_EQ(result.Number(0, 1), 0.1);
  EXPECT_EQ(result.Bytes(0, 2), "ä'");
  EXPECT_EQ(result.Bytes(0, 3), std::string_view("\0\xff", 2));
  EXPECT_EQ(result.Integer(0, 4), 1);
  EXPECT_EQ(result.Integer(0, 5), -12345);
  EXPECT_TRUE(result.is_null(0, 6));
  EXPECT_EQ(result.Integer(0, 6), 0);
}

TEST_F(PostgresTest, QueuedStatementsRunInOrderAndFailTogether) {
  connection_.Execute("CREATE TEMP TABLE t(a BIGINT PRIMARY KEY, b BYTEA)");
  constexpr const char* kInsert = "INSERT INTO t VALUES ($1, $2)";
  constexpr const char* kCount = "SELECT count(*) FROM t";
  // More than are kept before the answers are read.
  for (int64_t i = 0; i < 5000; ++i) connection_.Queue(kInsert, {PostgresValue::Integer(i), PostgresValue::Bytes(std::string(3000, 'x'))});
  EXPECT_EQ(connection_.Fetch(kCount, {}).Integer(0, 0), 5000);
  connection_.Queue("BEGIN", {});
  for (const int64_t i : {5001, 7, 5002}) connection_.Queue(kInsert, {PostgresValue::Integer(i), PostgresValue::Null()});
  const Error error = ErrorOf([&] { connection_.Flush(); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.message(), HasSubstr("duplicate key"));
  connection_.Execute("ROLLBACK");
  EXPECT_EQ(connection_.Fetch(kCount, {}).Integer(0, 0), 5000);
}

TEST_F(PostgresTest, ErrorsHaveTheirKind) {
  const auto kind = [&](const std::string& sql) { return ErrorOf([&] { connection_.Query(sql); }).kind(); };
  EXPECT_EQ(kind("SELEC"), ErrorKind::kInput);
  EXPECT_EQ(kind("SELECT * FROM nowhere"), ErrorKind::kNotFound);
  EXPECT_EQ(kind("SELECT 1 / 0"), ErrorKind::kInput);
  EXPECT_EQ(kind("SET statement_timeout = 10"), ErrorKind::kInternal);  // no error
  EXPECT_EQ(kind("SELECT pg_sleep(10)"), ErrorKind::kResource);
  EXPECT_FALSE(connection_.lost());
  EXPECT_EQ(kind("SELECT pg_terminate_backend(pg_backend_pid())"), ErrorKind::kResource);
  EXPECT_TRUE(connection_.lost());
}

TEST_F(PostgresTest, NotificationsWakeTheListener) {
  connection_.Listen("new rows");
  EXPECT_FALSE(connection_.Wait(10));
  PostgresConnection other(server_.Url());
  other.Execute("NOTIFY \"new rows\"");
  EXPECT_TRUE(connection_.Wait(5000));
  EXPECT_FALSE(connection_.Wait(0));
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    other.Execute("NOTIFY \"new rows\"");
  });
  EXPECT_TRUE(connection_.Wait(20'000));
  later.join();
  connection_.Execute("NOTIFY \"new rows\"");
  EXPECT_EQ(connection_.Query("SELECT 1").rows(), 1);  // the notification came with the answer
  EXPECT_TRUE(connection_.Wait(0));
  other.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
  EXPECT_EQ(ErrorOf([&] { connection_.Wait(20'000); }).kind(), ErrorKind::kResource);
}

TEST_F(PostgresTest, RowsKeepTheirTypes) {
  connection_.Execute("DROP TYPE IF EXISTS colour; CREATE TYPE colour AS ENUM ('red', 'blue')");
  const Table table = Read(R"(
      SELECT * FROM (VALUES
        (true, 1::smallint, -2::bigint, 0.5::real, 0.1::float8, 12.25::numeric, date '2013-02-01', timestamp '1969-12-31 23:59:59.5',
         timestamptz '2020-01-01 02:00:00+02', 'red'::colour, 'ä', '{"a":1}'::json),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (false, -3::smallint, 9::bigint, -1::real, 1e300::float8, -7::numeric, date '0001-01-01', timestamp '2000-01-01',
         timestamptz '2000-01-01 00:00:00Z', 'blue'::colour, '', 'null'::json))
      AS t(b, s, i, r, d, n, day, at, zoned, colour, text, json) -- a comment at the end)");
  ASSERT_EQ(table.rows, 3u);
  EXPECT_THAT(table.Names(), ElementsAre("b", "s", "i", "r", "d", "n", "day", "at", "zoned", "colour", "text", "json"));
  const auto numbers = [&](const char* name, ColumnType type) {
    EXPECT_EQ(table.Get(name, "").type, type) << name;
    return table.Get(name, "").numbers;
  };
  EXPECT_THAT(numbers("b", ColumnType::kBoolean), ElementsAre(1.0, IsNan(), 0.0));
  EXPECT_THAT(numbers("s", ColumnType::kInteger), ElementsAre(1.0, IsNan(), -3.0));
  EXPECT_THAT(numbers("i", ColumnType::kInteger), ElementsAre(-2.0, IsNan(), 9.0));
  EXPECT_THAT(numbers("r", ColumnType::kNumber), ElementsAre(0.5, IsNan(), -1.0));
  EXPECT_THAT(numbers("d", ColumnType::kNumber), ElementsAre(0.1, IsNan(), 1e300));
  EXPECT_THAT(numbers("n", ColumnType::kNumber), ElementsAre(12.25, IsNan(), -7.0));
  // Seconds since 1970 by `date -u -d … +%s`.
  EXPECT_THAT(numbers("day", ColumnType::kTimestamp), ElementsAre(1359676800e6, IsNan(), -62135596800e6));
  EXPECT_THAT(numbers("at", ColumnType::kTimestamp), ElementsAre(-0.5e6, IsNan(), 946684800e6));
  EXPECT_THAT(numbers("zoned", ColumnType::kTimestamp), ElementsAre(1577836800e6, IsNan(), 946684800e6));
  EXPECT_EQ(table.Get("colour", "").type, ColumnType::kCategory);
  for (const auto& [row, colour, text, json] : {std::tuple(0, "red", "ä", "{\"a\":1}"), {1, "", "", ""}, {2, "blue", "", "null"}}) {
    EXPECT_EQ(table.Get("colour", "").TextAt(static_cast<size_t>(row)), colour);
    EXPECT_EQ(table.Get("text", "").TextAt(static_cast<size_t>(row)), text);
    EXPECT_EQ(table.Get("json", "").TextAt(static_cast<size_t>(row)), json);
  }
  EXPECT_TRUE(table.Get("text", "").missing(1));
  EXPECT_FALSE(table.Get("text", "").missing(2));
}

TEST_F(PostgresTest, OddValuesAndNames) {
  std::vector<std::string> warnings;
  const Table table = Read("SELECT 9007199254740993 AS big, 1 AS a, 2 AS a, 'infinity'::float8 AS f, 'infinity'::date AS d;", &warnings);
  EXPECT_EQ(table.Get("big", "").TextAt(0), "9007199254740993");
  EXPECT_THAT(table.Names(), ElementsAre("big", "a", "a_2", "f", "d"));
  EXPECT_TRUE(table.Get("f", "").missing(0));
  EXPECT_TRUE(table.Get("d", "").missing(0));
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_THAT(warnings[1], HasSubstr("infinite"));
}

TEST_F(PostgresTest, RowsComeInBatches) {
  const auto reader = OpenPostgresReader(server_.Url(), "SELECT i, 'v' || i % 3 AS v FROM generate_series(1, 10000) AS i");
  EXPECT_THAT(reader->header().Names(), ElementsAre("i", "v"));
  Table batch;
  double sum = 0;
  std::vector<size_t> sizes;
  while (reader->Next(3000, &batch)) {
    sizes.push_back(batch.rows);
    for (const double i : batch.columns[0].numbers) sum += i;
    EXPECT_EQ(batch.columns[1].text.size(), batch.rows);
  }
  EXPECT_THAT(sizes, ElementsAre(3000u, 3000u, 3000u, 1000u));
  EXPECT_EQ(sum, 10000.0 * 10001 / 2);
  EXPECT_FALSE(reader->Next(1, &batch));
}

TEST_F(PostgresTest, WhatCannotBeReadIsSaid) {
  const auto error = [&](const std::string& query) { return ErrorOf([&] { Read(query); }); };
  EXPECT_EQ(error("SELECT 1 WHERE false").kind(), ErrorKind::kInput);  // no rows
  EXPECT_EQ(error("SELECT nothing").kind(), ErrorKind::kInput);
  EXPECT_EQ(error("SELECT 1; SELECT 2").kind(), ErrorKind::kInput);
  EXPECT_EQ(error("SELECT 1 / (5 - i) FROM generate_series(1, 9) AS i").kind(), ErrorKind::kInput);  // in the middle of the rows
  EXPECT_EQ(error("SELECT * FROM nowhere").kind(), ErrorKind::kNotFound);
  connection_.Execute("CREATE TABLE IF NOT EXISTS kept(a INT)");
  EXPECT_NE(error("DELETE FROM kept").message(), "no error");
  EXPECT_NE(error("SELECT setval('kept_seq', 1)").message(), "no error");
  connection_.Execute("CREATE SEQUENCE IF NOT EXISTS kept_seq");
  EXPECT_EQ(error("SELECT setval('kept_seq', 1)").kind(), ErrorKind::kPermission);  // a query changes nothing
  EXPECT_EQ(ErrorOf([&] { ReadTable(server_.Url(), {}); }).kind(), ErrorKind::kUsage);
  EXPECT_EQ(ErrorOf([&] { ReadTable("a.csv", {.query = "SELECT 1"}); }).kind(), ErrorKind::kUsage);
}

TEST_F(PostgresTest, ATableGrowsByItsWatermark) {
  connection_.Execute("CREATE SCHEMA \"Odd\"; CREATE TABLE \"Odd\".\"T 1\"(\"At\" TIMESTAMP, n INT)");
  const auto add = [&](int first, int last) {
    connection_.Execute("INSERT INTO \"Odd\".\"T 1\" SELECT timestamp '2024-01-01' + (i / 2) * interval '1 hour', i FROM generate_series(" +
                        std::to_string(first) + ", " + std::to_string(last) + ") AS i");
  };
  add(1, 5);
  GrowingOptions options;
  options.read.query = TableQuery("Odd.T 1");
  options.watermark = "At";
  auto source = OpenGrowingSource(server_.Url(), options);
  std::string position;
  GrowthBatch batch;
  const auto next = [&](size_t most) {
    std::vector<double> numbers;
    if (source->Next(most, &position, &batch)) numbers = batch.rows.Get("n", "").numbers;
    return numbers;
  };
  EXPECT_THAT(next(3), ElementsAre(1.0, 2.0, 3.0));
  EXPECT_THAT(next(9), ElementsAre(4.0, 5.0));
  EXPECT_THAT(next(9), ElementsAre());
  add(5, 7);  // one with an equal watermark, though it was there already: it is there twice now
  source = OpenGrowingSource(server_.Url(), options);
  EXPECT_THAT(next(9), ElementsAre(5.0, 6.0, 7.0));
  EXPECT_FALSE(source->Wait(std::chrono::milliseconds(10)));
  connection_.Execute("NOTIFY everlearn");
  EXPECT_TRUE(source->Wait(std::chrono::seconds(20)));
  EXPECT_EQ(batch.rows.Get("At", "").type, ColumnType::kTimestamp);

  server_.Kill();
  EXPECT_EQ(ErrorOf([&] { next(9); }).kind(), ErrorKind::kResource);
  EXPECT_FALSE(source->Wait(std::chrono::milliseconds(1)));
  server_.Start();
  EXPECT_THAT(next(9), ElementsAre());
  EXPECT_FALSE(source->Wait(std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace everlearn
