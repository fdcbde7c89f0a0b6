// Growing sources: rows once each, from any position on, whatever happens to the files.
#include "data/growing_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "data/csv_records.h"
#include "data/test_files.h"

namespace everlearn {
namespace {

GrowingOptions By(const std::string& watermark) {
  GrowingOptions options;
  options.read.threads = 1;
  options.watermark = watermark;
  return options;
}

void Add(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary | std::ios::app) << text; }
void Rest(const std::string& path) {
  const utimbuf long_ago{1'700'000'000, 1'700'000'000};
  utime(path.c_str(), &long_ago);
}

// What a source gives from a position on, as "a|b" one a row.
struct Reader {
  explicit Reader(std::unique_ptr<GrowingSource> given) : source(std::move(given)) {}
  std::vector<std::string> Read(size_t most = 100) {
    std::vector<std::string> rows;
    GrowthBatch batch;
    for (;;) {
      const bool more = source->Next(most, &position, &batch);
      EXPECT_LE(batch.rows.rows, most);
      for (const SourceFinding& finding : batch.findings) findings.push_back(finding.message), lost += finding.lost;
      if (!more) return rows;
      for (size_t row = 0; row < batch.rows.rows; ++row) {
        std::string text;
        for (const Column& column : batch.rows.columns) text += column.TextAt(row) + "|";
        text.pop_back();
        rows.push_back(text);
      }
    }
  }
  std::unique_ptr<GrowingSource> source;
  std::string position;
  std::vector<std::string> findings;
  size_t lost = 0;
};

using Rows = std::vector<std::string>;

class GrowingFilesTest : public testing::Test {
 protected:
  Reader Open(const std::string& name, const std::string& position = "") {
    Reader reader(MakeGrowingFiles(folder_.Path(name), {1, 0}));
    reader.position = position;
    return reader;
  }
  TestFolder folder_;
};

TEST_F(GrowingFilesTest, TakesWholeLinesAsAFileGrows) {
  const std::string path = folder_.Write("a.csv", "x,y\n1,one\n2,\"t\nwo\"\n3,th");
  Reader reader = Open("*.csv");
  EXPECT_EQ(reader.Read(), (Rows{"1|one", "2|t\nwo"}));
  EXPECT_EQ(reader.Read(), Rows{});
  Add(path, "ree\r\n\n4,\"a \"\"b\"\"\"\n5,\"open\n");
  EXPECT_EQ(reader.Read(1), (Rows{"3|three", "4|a \"b\""}));
  Add(path, "end\"\n");
  EXPECT_EQ(reader.Read(), Rows{"5|open\nend"});
  EXPECT_TRUE(reader.findings.empty());
}

TEST_F(GrowingFilesTest, GoesOnFromAnyPosition) {
  std::string text = "x,y\n";
  Rows all;
  for (int i = 0; i < 1000; ++i) {
    text += std::to_string(i) + ",é" + std::to_string(i % 7) + "\n";
    all.push_back(std::to_string(i) + "|é" + std::to_string(i % 7));
  }
  folder_.Write("b.csv", text);
  folder_.Write("c.csv", text);
  const Rows once = all;
  all.insert(all.end(), once.begin(), once.end());
  Rows taken;
  std::string position;
  GrowthBatch batch;
  // Each batch by a source of its own, as after a crash; and a second source that goes on without one.
  Reader steady = Open("*.csv");
  for (;;) {
    Reader reader = Open("*.csv", position);
    const std::string before = position;
    if (!reader.source->Next(37, &position, &batch)) break;
    for (size_t row = 0; row < batch.rows.rows; ++row)
      taken.push_back(batch.rows.columns[0].TextAt(row) + "|" + batch.rows.columns[1].TextAt(row));
    reader.source->Next(5, &position, &batch);
    position = before;  // was not kept: the source must go back
    ASSERT_TRUE(reader.source->Next(37, &position, &batch));
    EXPECT_EQ(batch.rows.columns[0].TextAt(batch.rows.rows - 1), taken.back().substr(0, taken.back().find('|')));
  }
  EXPECT_EQ(taken, all);
  EXPECT_EQ(steady.Read(37), all);
}

TEST_F(GrowingFilesTest, LastLineWithoutEndCountsWhenTheFileRests) {
  const std::string path = folder_.Write("a.csv", "x,y\n1,a\n2,b");
  Reader reader = Open("a.csv");
  EXPECT_EQ(reader.Read(), Rows{"1|a"});
  Rest(path);
  EXPECT_EQ(reader.Read(), Rows{"2|b"});
  Add(path, "\n3,c\n");
  EXPECT_EQ(reader.Read(), Rows{"3|c"});
  EXPECT_EQ(reader.lost, 0);
}

TEST_F(GrowingFilesTest, LinesThatAreNoRowsAreLeftOutAndTold) {
  folder_.Write("a.csv", "x,y\n1,a\n2\n3,c,d\n4,\xff\n5,\"e\"f\n6,g\n");
  Reader reader = Open("a.csv");
  EXPECT_EQ(reader.Read(), (Rows{"1|a", "6|g"}));
  ASSERT_EQ(reader.findings.size(), 1);
  EXPECT_NE(reader.findings[0].find("a.csv, line 3 has 1 values, the header 2 names; it and 3 later ones are left out"), std::string::npos)
      << reader.findings[0];
}

TEST_F(GrowingFilesTest, VanishedCutAndReplacedFilesAreToldOnce) {
  const std::string path = folder_.Write("a.csv", "x,y\n1,a\n2,b\n");
  const std::string other = folder_.Write("b.csv", "x,y\n9,z\n");
  Reader reader = Open("*.csv");
  EXPECT_EQ(reader.Read().size(), 3);
  rename(path.c_str(), folder_.Path("away").c_str());
  EXPECT_EQ(reader.Read(), Rows{});
  EXPECT_EQ(reader.Read(), Rows{});
  ASSERT_EQ(reader.findings.size(), 1);
  EXPECT_NE(reader.findings[0].find("a.csv has vanished"), std::string::npos);
  // It comes back, and is longer: a copy that took its place goes on where the old one was.
  folder_.Write("a.csv", "x,y\n1,a\n2,b\n3,c\n");
  EXPECT_EQ(reader.Read(), Rows{"3|c"});
  truncate(path.c_str(), 8);
  EXPECT_EQ(reader.Read(), Rows{});
  EXPECT_EQ(reader.Read(), Rows{});
  ASSERT_EQ(reader.findings.size(), 2);
  EXPECT_NE(reader.findings[1].find("shorter"), std::string::npos);
  folder_.Write("a.csv", "x,y\n1,a\n2,b\n3,c\n4,d\n");
  EXPECT_EQ(reader.Read(), Rows{"4|d"});
  folder_.Write("a.csv", "x,y\n7,q\n");
  EXPECT_EQ(reader.Read(), Rows{});  // shorter: too little to tell
  folder_.Write("a.csv", "x,y\n7,q\n8,r\n9,s\n10,t\n11,u\n");
  EXPECT_EQ(reader.Read(), (Rows{"7|q", "8|r", "9|s", "10|t", "11|u"}));
  EXPECT_NE(reader.findings.back().find("replaced"), std::string::npos);
  EXPECT_EQ(Open("*.csv", reader.position).Read(), Rows{});
}

TEST_F(GrowingFilesTest, AFileThatIsWrittenOverInPlaceIsAnotherFile) {
  const std::string path = folder_.Write("a.csv", "x,y\n1,one\n2,two\n");
  Reader reader = Open("a.csv");
  EXPECT_EQ(reader.Read(), (Rows{"1|one", "2|two"}));
  std::ofstream(path, std::ios::binary) << "x,y\n7,seven\n8,eight\n9,nine\n";  // longer, the same inode
  EXPECT_EQ(reader.Read(), (Rows{"7|seven", "8|eight", "9|nine"}));
  ASSERT_EQ(reader.findings.size(), 1u);
  EXPECT_NE(reader.findings[0].find("was replaced"), std::string::npos);
  // The same rows and more: it goes on.
  std::ofstream(path, std::ios::binary) << "x,y\n7,seven\n8,eight\n9,nine\n10,ten\n";
  EXPECT_EQ(reader.Read(), Rows{"10|ten"});
}

TEST_F(GrowingFilesTest, AWholeFileWhoseTimeAloneChangedIsTheSame) {
  const std::string path = folder_.Write("a.json", "[{\"x\": 1}, {\"x\": 2}]");
  Reader reader = Open("a.json");
  EXPECT_EQ(reader.Read().size(), 2u);
  Rest(path);
  EXPECT_EQ(reader.Read(), Rows{});
  EXPECT_TRUE(reader.findings.empty());
  Reader again = Open("a.json", reader.position);
  Rest(path);
  EXPECT_EQ(again.Read(), Rows{});
  folder_.Write("a.json", "[{\"x\": 3}, {\"x\": 4}]");  // as long, but another
  EXPECT_EQ(again.Read(), (Rows{"3", "4"}));
}

TEST_F(GrowingFilesTest, NewFilesWithOtherColumns) {
  folder_.Write("a.csv", "x,y\n1,a\n");
  Reader reader = Open("*.csv");
  EXPECT_EQ(reader.Read(), Rows{"1|a"});
  folder_.Write("c.csv", "");
  folder_.Write("d.csv", "x,y");
  folder_.Write("b.csv", "y;z;x\nb;;2\n");
  EXPECT_EQ(reader.Read(), Rows{"b||2"});
  Add(folder_.Path("c.csv"), "x\n5\n");
  EXPECT_EQ(reader.Read(), Rows{"5"});
}

TEST_F(GrowingFilesTest, JsonLines) {
  const std::string path = folder_.Write("a.jsonl", "{\"x\": 1, \"y\": \"a\"}\n{\"x\": 2.5, \"y\": null}\n[1]\n{\"x\": 3");
  Reader reader = Open("a.jsonl");
  EXPECT_EQ(reader.Read(), (Rows{"1|a", "2.5|"}));
  EXPECT_EQ(reader.lost, 1);
  Add(path, ", \"y\": \"c\"}\n{\"y\": \"d\"}\n");
  EXPECT_EQ(reader.Read(), (Rows{"3|c", "|d"}));
}

TEST_F(GrowingFilesTest, WholeFilesAreTakenWhenTheyCanBeRead) {
  const std::string gzip = "gzip -c > " + folder_.Path("a.csv.gz");
  FILE* pipe = popen(gzip.c_str(), "w");
  fputs("x,y\n1,a\n2,b\n3,c\n", pipe);
  pclose(pipe);
  const std::string bytes = folder_.Read("a.csv.gz");
  folder_.Write("b.csv.gz", bytes.substr(0, bytes.size() - 12));
  Reader reader = Open("*.csv.gz");
  EXPECT_EQ(reader.Read(2), (Rows{"1|a", "2|b", "3|c"}));
  EXPECT_TRUE(reader.findings.empty());
  folder_.Write("b.csv.gz", bytes);
  GrowthBatch batch;
  ASSERT_TRUE(reader.source->Next(2, &reader.position, &batch));
  EXPECT_EQ(Open("*.csv.gz", reader.position).Read(), Rows{"3|c"});
  EXPECT_EQ(reader.Read(), Rows{"3|c"});
  folder_.Write("c.csv.gz", "this is nothing");
  EXPECT_EQ(reader.Read(), Rows{});
  EXPECT_TRUE(reader.findings.empty());  // it may be being written
  Rest(folder_.Path("c.csv.gz"));
  EXPECT_EQ(reader.Read(), Rows{});
  EXPECT_EQ(reader.Read(), Rows{});
  EXPECT_EQ(reader.lost, 1);
}

TEST_F(GrowingFilesTest, RefusesWhatItCannotReadEver) {
  EXPECT_EQ(ErrorOf([&] { Open(""); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([&] { Open("a.doc"); }).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf([&] { OpenGrowingSource("a.csv", {{}, "id"}); }).kind(), ErrorKind::kUsage);
}

TEST(GrowingQuery, EqualWatermarksAreNeitherLostNorDoubled) {
  const TestFolder folder;
  const std::string path = folder.Write("t.csv", "id,day,v\n1,2024-01-01,a\n2,2024-01-02,b\n3,2024-01-02,c\n4,2024-01-02,c\n9,,n\n");
  const std::string sql = "SELECT day, v FROM '" + path + "';";
  Reader reader(OpenGrowingSource(sql, By("day")));
  EXPECT_EQ(reader.Read(2).size(), 4);
  EXPECT_EQ(reader.Read(), Rows{});
  // Of the last watermark: one more row that is equal to two others, and a new one; and one from the past, which is too late.
  Add(path, "5,2024-01-02,c\n6,2024-01-02,d\n7,2024-01-01,x\n8,2024-01-03,e\n");
  Reader again(OpenGrowingSource(sql, By("day")));
  again.position = reader.position;
  const Rows grown{"2024-01-02T00:00:00Z|c", "2024-01-02T00:00:00Z|d", "2024-01-03T00:00:00Z|e"};
  EXPECT_EQ(again.Read(1), grown);
  EXPECT_EQ(reader.Read(), grown);
  EXPECT_EQ(again.Read(), Rows{});
  EXPECT_EQ(ErrorOf([&] { Reader(OpenGrowingSource("SELECT 1 AS a", By("b"))).Read(); }).kind(), ErrorKind::kInput);
}

TEST(GrowingQuery, NumbersAreOrderedAsNumbers) {
  const TestFolder folder;
  const std::string path = folder.Write("t.csv", "n\n9\n10\n");
  Reader reader(OpenGrowingSource("FROM '" + path + "'", By("n")));
  EXPECT_EQ(reader.Read(1), (Rows{"9", "10"}));
  Add(path, "11\n");
  EXPECT_EQ(reader.Read(1), Rows{"11"});
}

TEST(GrowingQuery, WithoutAWatermarkItIsReadOnce) {
  Reader reader(OpenGrowingSource("SELECT 1 AS a", By("")));
  EXPECT_FALSE(reader.source->ended());
  EXPECT_EQ(reader.Read(), Rows{"1"});
  EXPECT_TRUE(reader.source->ended());
}

TEST(GrowingInput, TakesLinesAsTheyComeUntilTheEnd) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto send = [&](const std::string& text) {
    ASSERT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  Reader reader(MakeGrowingInput(ends[0]));
  EXPECT_EQ(reader.Read(), Rows{});
  send("x,y");
  EXPECT_EQ(reader.Read(), Rows{});
  EXPECT_FALSE(reader.source->Wait(std::chrono::milliseconds(1)));
  send("\n1,a\n2,");
  EXPECT_TRUE(reader.source->Wait(std::chrono::milliseconds(1)));
  EXPECT_EQ(reader.Read(), Rows{"1|a"});
  send("b\n3\n4,d");
  EXPECT_EQ(reader.Read(), Rows{"2|b"});
  EXPECT_EQ(reader.lost, 1);
  EXPECT_FALSE(reader.source->ended());
  close(ends[1]);
  EXPECT_EQ(reader.Read(), Rows{"4|d"});
  EXPECT_TRUE(reader.source->ended());
  close(ends[0]);
}

}  // namespace
}  // namespace everlearn
