// Tests of writing: what is written reads back, in every format, and nothing half-written stays.
#include "data/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "data/reader.h"
#include "data/test_files.h"

namespace everlearn {
namespace {

using ::testing::HasSubstr;

Table Sample() {
  Table table{.rows = 3};
  table.columns = {Column{.name = "n", .type = ColumnType::kNumber, .numbers = {1, 0.1, kMissing}},
                   Column{.name = "i", .type = ColumnType::kInteger, .numbers = {-3, kMissing, 9007199254740992.0}},
                   Column{.name = "b", .type = ColumnType::kBoolean, .numbers = {0, 1, kMissing}},
                   Column{.name = "t", .type = ColumnType::kTimestamp, .numbers = {1359695700e6, kMissing, -1e6}},
                   Column{.name = "c", .type = ColumnType::kCategory, .codes = {1, 0, -1}, .dictionary = {"x, y", "Zoë"}},
                   Column{.name = "s", .type = ColumnType::kText}};
  table.columns[5].text.Append("say \"hi\"\nthere");
  table.columns[5].text.AppendMissing();
  table.columns[5].text.Append("plain");
  return table;
}

void WriteAll(const std::string& path, const std::vector<Table>& batches) {
  const auto writer = TableWriter::Open(path);
  for (const Table& batch : batches) writer->Write(batch);
  writer->Close();
}

void ExpectEqualTexts(const Table& a, const Table& b) {
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.Names(), b.Names());
  for (size_t i = 0; i < a.columns.size(); ++i)
    for (size_t row = 0; row < a.rows; ++row) {
      EXPECT_EQ(a.columns[i].missing(row), b.columns[i].missing(row)) << a.columns[i].name << " " << row;
      EXPECT_EQ(a.columns[i].TextAt(row), b.columns[i].TextAt(row)) << a.columns[i].name << " " << row;
    }
}

TEST(Writer, CsvByHand) {
  const TestFolder folder;
  WriteAll(folder.Path("a.csv"), {Sample()});
  EXPECT_EQ(folder.Read("a.csv"),
            "n,i,b,t,c,s\n"
            "1,-3,false,2013-02-01T05:15:00Z,Zoë,\"say \"\"hi\"\"\nthere\"\n"
            "0.1,,true,,\"x, y\",\n"
            ",9007199254740992,,1969-12-31T23:59:59Z,,plain\n");
  WriteAll(folder.Path("a.tsv"), {Sample()});
  EXPECT_THAT(folder.Read("a.tsv"), HasSubstr("0.1\t\ttrue\t\tx, y\t\n"));
}

TEST(Writer, EveryFormatReadsBack) {
  const TestFolder folder;
  Table twice = Sample();
  twice.Append(Sample());
  for (const char* name : {"a.csv", "a.tsv", "a.csv.gz", "a.csv.zst", "a.tsv.gz", "a.parquet", "a.json", "a.jsonl", "a.jsonl.gz"}) {
    SCOPED_TRACE(name);
    WriteAll(folder.Path(name), {Sample(), Sample()});
    ExpectEqualTexts(ReadTable(folder.Path(name), {}), twice);
  }
}

TEST(Writer, NamesThatDifferInCase) {
  const TestFolder folder;
  Table table = Sample();
  table.columns[0].name = "T";
  for (const char* name : {"a.csv", "a.csv.gz"}) {
    WriteAll(folder.Path(name), {table});
    EXPECT_EQ(ReadTable(folder.Path(name), {}).Names(), table.Names());
  }
  const Error error = ErrorOf([&] { WriteAll(folder.Path("a.parquet"), {table}); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.message(), HasSubstr("'T' and 't'"));
}

TEST(Writer, OneColumnKeepsItsMissingRows) {
  const TestFolder folder;
  const Table table{.rows = 3, .columns = {Column{.name = "n", .type = ColumnType::kNumber, .numbers = {1, kMissing, 2}}}};
  for (const char* name : {"a.csv", "a.csv.gz", "a.parquet"}) {
    WriteAll(folder.Path(name), {table});
    ExpectEqualTexts(ReadTable(folder.Path(name), {}), table);
  }
}

TEST(Writer, ParquetKeepsTypes) {
  const TestFolder folder;
  WriteAll(folder.Path("a.parquet"), {Sample()});
  const Table read = ReadTable(folder.Path("a.parquet"), {});
  const Table written = Sample();
  for (size_t i = 0; i < written.columns.size(); ++i) {
    const ColumnType type = written.columns[i].type == ColumnType::kCategory ? ColumnType::kText : written.columns[i].type;
    EXPECT_EQ(read.columns[i].type, type) << written.columns[i].name;
  }
}

TEST(Writer, CsvFieldsPassThroughUntouched) {
  const TestFolder folder;
  const std::string content = "a,b,\"c,d\"\n01,NA,1.50\n 2 ,,\"x\ny\"\n?,1e5,\"q\"\"q\"\n";
  const auto reader = TableReader::Open(folder.Write("in.csv", content), {});
  const auto writer = TableWriter::Open(folder.Path("out.csv"));
  Table batch;
  while (reader->Next(2, &batch)) writer->Write(batch);
  writer->Close();
  EXPECT_EQ(folder.Read("out.csv"), content);
}

TEST(Writer, LargeParquet) {
  const TestFolder folder;
  Table table{.rows = 50000};
  Column& column = table.columns.emplace_back(Column{.name = "i", .type = ColumnType::kInteger});
  for (size_t row = 0; row < table.rows; ++row) column.numbers.push_back(static_cast<double>(row));
  WriteAll(folder.Path("l.parquet"), {table, table});
  const Table read = ReadTable(folder.Path("l.parquet"), {});
  ASSERT_EQ(read.rows, 100000U);
  for (size_t row = 0; row < read.rows; ++row) ASSERT_EQ(read.columns[0].numbers[row], static_cast<double>(row % 50000));
}

TEST(Writer, ABatchOfOtherTypesFollowsTheFirst) {
  const TestFolder folder;
  const Table first{.rows = 1, .columns = {Column{.name = "i", .type = ColumnType::kInteger, .numbers = {1}}}};
  Table second = first;
  second.columns[0].BecomeText();
  WriteAll(folder.Path("m.parquet"), {first, second});
  EXPECT_EQ(ReadTable(folder.Path("m.parquet"), {}).columns[0].numbers, (std::vector<double>{1, 1}));
}

TEST(Writer, NoRowsIsAFileWithAHeader) {
  const TestFolder folder;
  Table none = Sample().Select({});
  WriteAll(folder.Path("n.csv"), {none});
  EXPECT_EQ(folder.Read("n.csv"), "n,i,b,t,c,s\n");
  WriteAll(folder.Path("n.parquet"), {none});
  EXPECT_THAT(ErrorOf([&] { ReadTable(folder.Path("n.parquet"), {}); }).message(), HasSubstr("has no rows"));
}

TEST(Writer, RefusesBeforeAnyRow) {
  const TestFolder folder;
  for (const char* name : {"no/such/out.csv", "no/such/out.parquet", "no/such/out.csv.gz"}) {
    const Error error = ErrorOf([&] { TableWriter::Open(folder.Path(name)); });
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound) << error.message();
    EXPECT_THAT(error.message(), HasSubstr("no/such/out"));
  }
  EXPECT_EQ(ErrorOf([&] { TableWriter::Open(folder.Path("out.xlsx")); }).kind(), ErrorKind::kUsage);
  std::filesystem::create_directory(folder.Path("d.csv"));
  EXPECT_EQ(ErrorOf([&] { TableWriter::Open(folder.Path("d.csv")); }).kind(), ErrorKind::kPermission);
}

TEST(Writer, NothingHalfWrittenStays) {
  const TestFolder folder;
  for (const char* name : {"a.csv", "a.parquet"}) {
    folder.Write(name, "old");
    TableWriter::Open(folder.Path(name))->Write(Sample());
    EXPECT_EQ(folder.Read(name), "old");
  }
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.Path(""))) files += entry.exists() ? 1 : 0;
  EXPECT_EQ(files, 2U);
}

TEST(Writer, FullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not there";
  const Error error = ErrorOf([] { WriteAll("/dev/full", {Sample()}); });
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_THAT(error.message(), HasSubstr("/dev/full"));
}

// Any texts in any number of columns; an empty text reads back as missing, as CSV cannot tell them apart.
RC_GTEST_PROP(Writer, CsvRoundTrip, ()) {
  const auto text = rc::gen::container<std::string>(
      rc::gen::weightedOneOf<char>({{5, rc::gen::inRange<char>('a', 'f')}, {3, rc::gen::element(',', '"', '\n', ';', ' ', '\'', '\t')}}));
  const auto columns = *rc::gen::inRange<size_t>(1, 5);
  const auto rows = *rc::gen::inRange<size_t>(1, 20);
  Table table{.rows = rows};
  for (size_t i = 0; i < columns; ++i) {
    Column& column = table.columns.emplace_back(Column{.name = "c" + std::to_string(i), .type = ColumnType::kText});
    for (size_t row = 0; row < rows; ++row) {
      const std::string value = *text;
      if (value.empty()) column.text.AppendMissing();
      else column.text.Append(value);
    }
  }
  const TestFolder folder;
  WriteAll(folder.Path("r.csv"), {table});
  const Table read = ReadTable(folder.Path("r.csv"), {.threads = 1});
  RC_ASSERT(read.rows == rows);
  RC_ASSERT(read.Names() == table.Names());
  for (size_t i = 0; i < columns; ++i)
    for (size_t row = 0; row < rows; ++row) {
      RC_ASSERT(read.columns[i].missing(row) == table.columns[i].missing(row));
      RC_ASSERT(read.columns[i].TextAt(row) == table.columns[i].TextAt(row));
    }
}

}  // namespace
}  // namespace everlearn
