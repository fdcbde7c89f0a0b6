// Tests of reading: formats, compression, patterns, SQL, standard input, types, and bad files.
#include "data/reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "data/duck.h"
#include "data/test_files.h"

namespace everlearn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> TextsOf(const Column& column) {
  std::vector<std::string> texts;
  for (size_t row = 0; row < column.size(); ++row) texts.push_back(column.missing(row) ? "<missing>" : column.TextAt(row));
  return texts;
}

std::vector<std::string> TextsOf(const Table& table, const std::string& name) { return TextsOf(table.Get(name, "the table")); }

class Reader : public ::testing::Test {
 protected:
  Error ErrorOfReading(const std::string& source) {
    return ErrorOf([&] { ReadTable(source, {}); });
  }
  TestFolder folder_;
};

TEST_F(Reader, CsvKeepsTextsAsTheyStand) {
  const auto path = folder_.Write("a.csv", "n,\"k, l\",t\n01,1.50,\"say \"\"hi\"\"\"\n 2 ,NA,\"two\nlines\"\n,,Zoë\n");
  const Table table = ReadTable(path, {});
  EXPECT_EQ(table.rows, 3U);
  EXPECT_EQ(table.Names(), (std::vector<std::string>{"n", "k, l", "t"}));
  EXPECT_EQ(table.columns[0].type, ColumnType::kText);
  EXPECT_THAT(TextsOf(table, "n"), ElementsAre("01", " 2 ", "<missing>"));
  EXPECT_THAT(TextsOf(table, "k, l"), ElementsAre("1.50", "NA", "<missing>"));
  EXPECT_THAT(TextsOf(table, "t"), ElementsAre("say \"hi\"", "two\nlines", "Zoë"));
}

TEST_F(Reader, SeparatorsAndLineEnds) {
  for (const char* content : {"a;b\n1,5;x\n", "a|b\n1,5|x\n", "a\tb\n1,5\tx\n", "a;b\r\n1,5;x\r\n",
                              "\xef\xbb\xbf"
                              "a;b\n1,5;x",
                              "a;b\r1,5;x\r"}) {
    const Table table = ReadTable(folder_.Write("s.csv", content), {});
    EXPECT_EQ(table.Names(), (std::vector<std::string>{"a", "b"})) << content;
    EXPECT_THAT(TextsOf(table, "a"), ElementsAre("1,5")) << content;
  }
  EXPECT_THAT(TextsOf(ReadTable(folder_.Write("t.tsv", "a,b\tc\n1\t2\n"), {}), "a,b"), ElementsAre("1"));
  EXPECT_THAT(TextsOf(ReadTable(folder_.Write("one.csv", "x\n1\n2\n"), {}), "x"), ElementsAre("1", "2"));
}

TEST_F(Reader, OneRow) { EXPECT_EQ(ReadTable(folder_.Write("o.csv", "a,b\n1,2"), {}).rows, 1U); }

TEST_F(Reader, CompressedFiles) {
  DuckDatabase database;
  for (const char* ending : {"csv.gz", "csv.zst", "jsonl.gz"}) {
    const auto path = folder_.Path(std::string("c.") + ending);
    const std::string format = std::string(ending).starts_with("csv") ? "FORMAT csv, HEADER" : "FORMAT json";
    const std::string codec = path.ends_with("gz") ? "gzip" : "zstd";
    database.Run("COPY (SELECT range AS a FROM range(5000)) TO '" + path + "' (" + format + ", COMPRESSION " + codec + ")", "test");
    const Table table = ReadTable(path, {});
    ASSERT_EQ(table.rows, 5000U) << ending;
    for (size_t row = 0; row < 5000; row += 999) EXPECT_EQ(table.columns[0].TextAt(row), std::to_string(row));
  }
}

TEST_F(Reader, PatternsJoinFilesByName) {
  folder_.Write("p2.csv", "b,c\n3,z\n");
  folder_.Write("p1.csv", "a,b\n1,2\n");
  const Table table = ReadTable(folder_.Path("p*.csv"), {});
  EXPECT_EQ(table.Names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_THAT(TextsOf(table, "a"), ElementsAre("1", "<missing>"));
  EXPECT_THAT(TextsOf(table, "b"), ElementsAre("2", "3"));
  EXPECT_THAT(TextsOf(table, "c"), ElementsAre("<missing>", "z"));
  const Error none = ErrorOfReading(folder_.Path("q*.csv"));
  EXPECT_EQ(none.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("q*.csv"));
}

TEST_F(Reader, NamesWithPatternCharactersAreNames) { EXPECT_EQ(ReadTable(folder_.Write("odd[1]'*.csv", "a\n1\n"), {}).rows, 1U); }

TEST_F(Reader, ColumnNamesAreMadeUnique) {
  std::vector<std::string> warnings;
  const Table table = ReadTable(folder_.Write("d.csv", "a,A,a,,a_2,a\n1,2,3,4,5,6\n"), {}, &warnings);
  EXPECT_EQ(table.Names(), (std::vector<std::string>{"a", "A", "a_3", "column_4", "a_2", "a_4"}));
  EXPECT_THAT(TextsOf(table, "a_3"), ElementsAre("3"));
  EXPECT_EQ(warnings.size(), 3U);
  EXPECT_THAT(warnings[0], HasSubstr("'a'"));
}

TEST_F(Reader, OrderOfRowsAcrossBatches) {
  std::string content = "i,s\n";
  for (int i = 0; i < 100000; ++i) content += std::to_string(i) + ",a text that is longer than twelve bytes " + std::to_string(i) + "\n";
  const auto reader = TableReader::Open(folder_.Write("big.csv", content), {.threads = 2});
  EXPECT_EQ(reader->header().Names(), (std::vector<std::string>{"i", "s"}));
  Table batch;
  size_t rows = 0;
  while (reader->Next(3001, &batch)) {
    EXPECT_LE(batch.rows, 3001U);
    for (size_t row = 0; row < batch.rows; ++row, ++rows) {
      ASSERT_EQ(batch.columns[0].text[row], std::to_string(rows));
      ASSERT_THAT(std::string(batch.columns[1].text[row]), ::testing::EndsWith(" " + std::to_string(rows)));
    }
  }
  EXPECT_EQ(rows, 100000U);
  EXPECT_FALSE(reader->Next(10, &batch));
  EXPECT_EQ(batch.rows, 0U);
}

TEST_F(Reader, SqlTypes) {
  const Table table = ReadTable(
      "SELECT true AS b, 7::TINYINT AS i, 1.25::DECIMAL(10, 2) AS d, 0.5::FLOAT AS f, DATE '2013-02-01' AS day, "
      "TIMESTAMP '2013-02-01 05:15:00.25' AS t, TIMESTAMPTZ '2013-02-01 05:15:00+01' AS z, TIMESTAMP_S '1969-12-31 23:59:59' AS s, "
      "'x'::ENUM('y', 'x') AS e, [1, 2] AS l, TIME '10:00:00' AS clock, 'Zoë' AS v, NULL AS n, 9007199254740993 AS big, "
      "sum(2)::HUGEINT AS h, -170141183460469231731687303715884105728 AS lowest -- a comment\n;",
      {});
  const auto check = [&](const char* name, ColumnType type, const char* text) {
    const Column& column = table.Get(name, "the query");
    EXPECT_EQ(column.type, type) << name;
    EXPECT_EQ(column.missing(0) ? "<missing>" : column.TextAt(0), text) << name;
  };
  check("b", ColumnType::kBoolean, "true");
  check("i", ColumnType::kInteger, "7");
  check("d", ColumnType::kNumber, "1.25");
  check("f", ColumnType::kNumber, "0.5");
  check("day", ColumnType::kTimestamp, "2013-02-01T00:00:00Z");
  check("t", ColumnType::kTimestamp, "2013-02-01T05:15:00.25Z");
  check("z", ColumnType::kTimestamp, "2013-02-01T04:15:00Z");
  check("s", ColumnType::kTimestamp, "1969-12-31T23:59:59Z");
  check("e", ColumnType::kCategory, "x");
  check("l", ColumnType::kText, "[1, 2]");
  check("clock", ColumnType::kText, "10:00:00");
  check("v", ColumnType::kText, "Zoë");
  EXPECT_TRUE(table.Get("n", "").missing(0));
  check("big", ColumnType::kText, "9007199254740993");
  check("h", ColumnType::kInteger, "2");
  check("lowest", ColumnType::kText, "-170141183460469231731687303715884105728");
}

TEST_F(Reader, SqlKeepsOrderAndAcceptsAllBeginnings) {
  const Table table = ReadTable("  with t as (SELECT range::DECIMAL(9, 0) AS i FROM range(10)) FROM t ORDER BY i DESC LIMIT 3;", {});
  EXPECT_THAT(TextsOf(table, "i"), ElementsAre("9", "8", "7"));
  const auto path = folder_.Write("f.csv", "a,b\n1,x\n2,y\n");
  EXPECT_THAT(TextsOf(ReadTable("from '" + path + "' where a > 1", {}), "b"), ElementsAre("y"));
  EXPECT_EQ(ReadTable("select 1 as a, 2 as a", {}).Names(), (std::vector<std::string>{"a", "a_2"}));
}

TEST_F(Reader, InfinityIsMissing) {
  std::vector<std::string> warnings;
  const Table table = ReadTable("SELECT unnest([1.5, 'inf'::DOUBLE, '-inf'::DOUBLE, 'nan'::DOUBLE]) AS x", {}, &warnings);
  EXPECT_THAT(TextsOf(table, "x"), ElementsAre("1.5", "<missing>", "<missing>", "<missing>"));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("'x'"));
}

TEST_F(Reader, LargeIntegersMakeTheColumnText) {
  const Table table = ReadTable("SELECT CASE WHEN range = 4000 THEN 9007199254740993 ELSE range END AS i FROM range(5000)", {});
  EXPECT_EQ(table.columns[0].type, ColumnType::kText);
  EXPECT_EQ(table.columns[0].TextAt(7), "7");
  EXPECT_EQ(table.columns[0].TextAt(4000), "9007199254740993");
  EXPECT_EQ(table.columns[0].TextAt(4999), "4999");
}

TEST_F(Reader, ParquetAndJson) {
  DuckDatabase database;
  const auto parquet = folder_.Path("t.parquet");
  database.Run("COPY (SELECT range AS i, range / 2 AS x, 'v' || range AS s FROM range(3)) TO '" + parquet + "'", "test");
  const Table table = ReadTable(parquet, {});
  EXPECT_EQ(table.columns[0].type, ColumnType::kInteger);
  EXPECT_EQ(table.columns[1].type, ColumnType::kNumber);
  EXPECT_THAT(TextsOf(table, "s"), ElementsAre("v0", "v1", "v2"));
  for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
           {"a.json", R"([{"i": 1, "s": "x", "o": {"k": 1}}, {"i": 2.5, "s": null}])"},
           {"a.jsonl", "{\"i\": 1, \"s\": \"x\", \"o\": {\"k\": 1}}\n{\"i\": 2.5, \"s\": null}\n"}}) {
    const Table json = ReadTable(folder_.Write(name, content), {});
    EXPECT_EQ(json.columns[0].type, ColumnType::kNumber);
    EXPECT_THAT(TextsOf(json, "i"), ElementsAre("1", "2.5"));
    EXPECT_THAT(TextsOf(json, "s"), ElementsAre("x", "<missing>"));
    EXPECT_EQ(json.Get("o", "").type, ColumnType::kText);
  }
}

TEST_F(Reader, StandardInput) {
  const auto path = folder_.Write("in.csv", "a,b\n1,\"x\ny\"\n2,z\n");
  const int saved = dup(STDIN_FILENO);
  const int file = open(path.c_str(), O_RDONLY);
  dup2(file, STDIN_FILENO);
  const Table table = ReadTable("-", {});
  EXPECT_THAT(TextsOf(table, "b"), ElementsAre("x\ny", "z"));
  const Error empty = ErrorOfReading("-");  // read to its end already
  EXPECT_EQ(empty.message(), "standard input is empty");
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  dup2(ends[0], STDIN_FILENO);
  ASSERT_EQ(write(ends[1], "a,b\n1,2\n3\n", 10), 10);
  close(ends[1]);
  const Error ragged = ErrorOfReading("-");
  EXPECT_THAT(ragged.message(), StartsWith("standard input, line 3"));
  dup2(saved, STDIN_FILENO);
  for (const int open_file : {saved, file, ends[0]}) close(open_file);
}

TEST_F(Reader, FilesThatAreNoTables) {
  const auto refused = [&](const std::string& name, const std::string& content, ErrorKind kind = ErrorKind::kInput) {
    const Error error = ErrorOfReading(folder_.Write(name, content));
    EXPECT_EQ(error.kind(), kind) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(name));
    EXPECT_EQ(error.message().find("Possible"), std::string::npos) << error.message();
    return error.message() + " | " + error.hint();
  };
  EXPECT_THAT(refused("e.csv", ""), HasSubstr("is empty"));
  EXPECT_THAT(refused("blank.csv", "\n\n\n"), HasSubstr("empty"));
  EXPECT_THAT(refused("h.csv", "a,y\n"), HasSubstr("has no rows"));
  EXPECT_THAT(refused("long.csv", std::string(5000, 'D')), HasSubstr("has no rows"));
  EXPECT_THAT(refused("r.csv", "a,b,c\n1,2,3\n1,2\n"), HasSubstr("line 3"));
  EXPECT_THAT(refused("latin.csv", "a,b\n1,Zo\xeb\n"), HasSubstr("UTF-8"));
  EXPECT_THAT(refused("quote.csv", "a,b\n1,\"never closed\n2,3\n"), HasSubstr("line 2"));
  EXPECT_THAT(refused("head.csv", "\"a,b\n1,2\n"), HasSubstr("line 1"));
  std::mt19937 random(1);
  std::string garbage(5000, '\0');
  for (char& c : garbage) c = static_cast<char>(random());
  for (const char* name : {"g.csv", "g.csv.gz", "g.csv.zst", "g.parquet", "g.json", "g.tsv"}) refused(name, garbage);
  refused("t.csv.gz", "a,b\n1,2\n");
  refused("x.xlsx", "PK");
}

TEST_F(Reader, FilesThatAreNotThere) {
  folder_.Write("loans.csv", "a\n1\n");
  const Error near = ErrorOfReading(folder_.Path("loan.csv"));
  EXPECT_EQ(near.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(near.message(), HasSubstr(folder_.Path("loan.csv")));
  EXPECT_EQ(near.hint(), "did you mean 'loans.csv'?");
  EXPECT_EQ(ErrorOfReading(folder_.Path("no/such.csv")).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOfReading("nothing.csv").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOfReading(folder_.Path("")).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOfReading("SELECT * FROM '" + folder_.Path("gone.parquet") + "'").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOfReading("SELECT nothing FROM range(3)").kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOfReading("SELECT 1; SELECT 2").kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOfReading("postgresql://localhost/x").kind(), ErrorKind::kUsage);  // without a query
}

TEST_F(Reader, DamageFarInsideIsReported) {
  std::string content = "a,b\n";
  for (int i = 0; i < 50000; ++i) content += "1,2\n";
  content += "1,2,3\n";
  const auto reader = TableReader::Open(folder_.Write("deep.csv", content), {});
  Table batch;
  const Error error = ErrorOf([&] {
    while (reader->Next(1000, &batch)) continue;
  });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.message(), HasSubstr("line 50002"));
}

TEST_F(Reader, TheFirstRowsAreUsedWhereTimeIsShort) {
  std::string content = "a,b\n";
  for (int i = 0; i < 50'000; ++i) content += std::to_string(i) + ",x\n";
  const std::string path = folder_.Write("long.csv", content);
  std::vector<std::string> warnings;
  const Table cut = ReadTable(path, {.enough = [] { return true; }}, &warnings);
  EXPECT_GT(cut.rows, 0U);
  EXPECT_LT(cut.rows, 50'000U);
  EXPECT_EQ(cut.columns[0].TextAt(cut.rows - 1), std::to_string(cut.rows - 1));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("only the first " + std::to_string(cut.rows) + " rows"));
  warnings.clear();
  EXPECT_EQ(ReadTable(path, {.enough = [] { return false; }}, &warnings).rows, 50'000U);
  EXPECT_TRUE(warnings.empty());
}

}  // namespace
}  // namespace everlearn
