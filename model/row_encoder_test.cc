// Tests of the encoding of single rows: equal to a table's encoding, and clear about what it refuses.
#include "model/row_encoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/timestamp.h"

namespace everlearn {
namespace {

struct Frame {
  Schema schema;
  Task task;
  FeatureSpace space;
};

// age (number), town (category), when (timestamp, the task's time), member (boolean yes/no), ref (key).
Frame MakeFrame() {
  Frame frame;
  const std::pair<const char*, ColumnType> columns[] = {{"age", ColumnType::kNumber},     {"town", ColumnType::kCategory},
                                                        {"when", ColumnType::kTimestamp}, {"member", ColumnType::kBoolean},
                                                        {"ref", ColumnType::kInteger},    {"y", ColumnType::kCategory}};
  Table table;
  table.rows = 2;
  for (const auto& [name, type] : columns) {
    ColumnSchema schema;
    schema.name = name;
    schema.type = type;
    schema.kind = ColumnTypeName(type);
    if (type == ColumnType::kBoolean) schema.boolean_words = {"no", "yes"};
    frame.schema.columns.push_back(schema);
    Column column;
    column.name = name;
    column.type = type;
    if (column.is_numeric()) column.numbers = {1.5e15, 1e6};
    else column.codes = {0, 1}, column.dictionary = {"Bern", "Chur"};
    table.columns.push_back(column);
  }
  frame.task.target = "y";
  frame.task.kind = TaskKind::kBinary;
  frame.task.labels = {"0", "1"};
  frame.task.time = "when";
  frame.task.key = {"ref"};
  frame.space = FeatureSpace::Build(table, frame.schema, frame.task, false);
  return frame;
}

JsonObject Row(const char* text) { return ParseJson(text, "a row").as_object(); }

std::string RefusedColumn(const RowEncoder& encoder, const char* text) {
  std::vector<double> out(256);
  try {
    encoder.Encode(Row(text), RowEncoder::Absent::kRefused, out.data());
  } catch (const RowError& error) {
    return error.column();
  }
  return "";
}

TEST(RowEncoder, ValuesOfEveryType) {
  Frame frame = MakeFrame();
  const RowEncoder encoder(frame.schema, frame.task, frame.space);
  std::vector<double> out(frame.space.size());
  const JsonObject row = Row(R"({"age": " 3.5 ", "town": "Chur", "when": "2024-01-01T06:30:00Z", "member": "yes", "ref": 7})");
  EXPECT_FALSE(encoder.Encode(row, RowEncoder::Absent::kRefused, out.data()));
  for (size_t j = 0; j < frame.space.size(); ++j) {
    const std::string& name = frame.space.features()[j].name;
    const double expected = name == "age"                ? 3.5
                            : name == "town"             ? 1
                            : name == "when.hour"        ? 6.5
                            : name == "when.hour_of_day" ? 6
                            : name == "when.minute"      ? 30
                            : name == "when.weekday"     ? 0
                            : name == "member"           ? 1
                                                         : NAN;
    EXPECT_EQ(out[j], expected) << name;
  }
  int64_t time = 0;
  ASSERT_TRUE(encoder.Time(row, &time));
  EXPECT_EQ(TimestampText(time), "2024-01-01T06:30:00Z");
}

TEST(RowEncoder, UnseenMissingAndAbsent) {
  Frame frame = MakeFrame();
  const RowEncoder encoder(frame.schema, frame.task, frame.space);
  std::vector<double> out(frame.space.size());
  EXPECT_TRUE(
      encoder.Encode(Row(R"({"age": null, "town": "Genève", "when": null, "member": false})"), RowEncoder::Absent::kRefused, out.data()));
  EXPECT_TRUE(std::isnan(out[0]));
  EXPECT_EQ(out[1], 2);
  encoder.EncodeGrowing(Row(R"({"age": 1e999, "town": "Bern"})"), &frame.space, out.data());
  EXPECT_TRUE(std::isnan(out[0])) << "an infinite number is missing, as in a file";
  encoder.EncodeGrowing(Row(R"({"town": "Genève"})"), &frame.space, out.data());
  EXPECT_EQ(out[1], 2);
  EXPECT_EQ(frame.space.features()[1].dictionary.back(), "Genève");
  EXPECT_FALSE(encoder.Encode(Row(R"({"town": "Genève"})"), RowEncoder::Absent::kAsMissing, out.data()));
}

// Texts of training and of later rows, what is missing in any of its spellings, numbers and truth values as texts; by a vocabulary, and by
// buckets where training saw no text.
TEST(RowEncoder, TextsAreEncodedAsThoseOfATable) {
  const std::vector<std::pair<std::string, std::string>> values = {// of a row and of a table, empty where missing
                                                                   {R"("A fine place, really fine!")", "A fine place, really fine!"},
                                                                   {R"("words that nobody said before")", "words that nobody said before"},
                                                                   {R"("\u00c9COLE \ud83d\ude00 20%")", "\u00c9COLE \U0001F600 20%"},
                                                                   {R"("  ")", "  "},
                                                                   {R"("NA")", "NA"},
                                                                   {"null", ""},
                                                                   {"17", "17"},
                                                                   {"true", "true"}};
  Table later;
  later.rows = values.size();
  later.columns.push_back(Column{.name = "comment", .type = ColumnType::kText});
  later.columns.push_back(Column{.name = "age", .type = ColumnType::kNumber, .numbers = std::vector<double>(values.size(), 7)});
  for (const auto& [json, text] : values) text.empty() ? later.columns[0].text.AppendMissing() : later.columns[0].text.Append(text);
  for (const bool vocabulary : {true, false}) {
    Table training;
    training.rows = 60;
    training.columns = {Column{.name = "comment", .type = ColumnType::kText},
                        Column{.name = "age", .type = ColumnType::kNumber, .numbers = std::vector<double>(60, 7)}};
    for (size_t i = 0; i < training.rows; ++i) {
      if (vocabulary) training.columns[0].text.Append(i % 2 == 0 ? "A fine place, really fine!" : "an AWFUL room at 20%");
      else training.columns[0].text.AppendMissing();
    }
    Frame frame;
    for (const Column& column : training.columns)
      frame.schema.columns.push_back({.name = column.name, .type = column.type, .kind = std::string(ColumnTypeName(column.type))});
    frame.space = FeatureSpace::Build(training, frame.schema, frame.task, false, 64);
    ASSERT_GT(frame.space.size(), 20u);
    const RowEncoder encoder(frame.schema, frame.task, frame.space);
    const std::vector<double> expected = frame.space.Encode(Conform(later, frame.schema, {}, "later.csv"));
    for (size_t i = 0; i < values.size(); ++i) {
      std::vector<double> out(frame.space.size(), -1);
      const JsonObject row = Row(("{\"age\": 7, \"comment\": " + values[i].first + "}").c_str());
      for (const bool growing : {false, true}) {
        if (growing) encoder.EncodeGrowing(row, &frame.space, out.data());
        else EXPECT_FALSE(encoder.Encode(row, RowEncoder::Absent::kRefused, out.data()));
        for (size_t j = 0; j < out.size(); ++j) {
          const double wanted = expected[i * out.size() + j];
          EXPECT_TRUE(out[j] == wanted || (std::isnan(out[j]) && std::isnan(wanted)))
              << values[i].first << ", " << frame.space.features()[j].name << ": " << out[j] << " instead of " << wanted;
        }
      }
    }
    EXPECT_EQ(RefusedColumn(encoder, R"({"age": 7, "comment": ["a", "b"]})"), "comment");
    EXPECT_EQ(RefusedColumn(encoder, R"({"age": 7})"), "comment");
  }
}

TEST(RowEncoder, RefusesByColumn) {
  const Frame frame = MakeFrame();
  const RowEncoder encoder(frame.schema, frame.task, frame.space);
  EXPECT_EQ(RefusedColumn(encoder, R"({"town": "Bern"})"), "age");
  EXPECT_EQ(RefusedColumn(encoder, R"({"age": "much", "town": "Bern", "when": null, "member": true})"), "age");
  EXPECT_EQ(RefusedColumn(encoder, R"({"age": 1, "town": ["Bern"], "when": null, "member": true})"), "town");
  EXPECT_EQ(RefusedColumn(encoder, R"({"age": 1, "town": "Bern", "when": "soon", "member": true})"), "when");
  EXPECT_EQ(RefusedColumn(encoder, R"({"age": 1, "town": "Bern", "when": null, "member": 2})"), "member");
  EXPECT_EQ(RefusedColumn(encoder, R"({"age": {}, "town": "Bern", "when": null, "member": 1})"), "age");
}

TEST(RowEncoder, KeysAreEqualHoweverTheyAreWritten) {
  const Frame frame = MakeFrame();
  const RowEncoder encoder(frame.schema, frame.task, frame.space);
  const uint64_t key = encoder.Key(Row(R"({"ref": 17})"));
  EXPECT_NE(key, 0u);
  EXPECT_EQ(encoder.Key(Row(R"({"ref": "17"})")), key);
  EXPECT_EQ(encoder.Key(Row(R"({"ref": 17.0})")), key);
  EXPECT_NE(encoder.Key(Row(R"({"ref": 18})")), key);
  EXPECT_EQ(encoder.Key(Row(R"({"ref": null})")), 0u);
  EXPECT_EQ(encoder.Key(Row(R"({})")), 0u);
}

TEST(RowEncoder, OutcomesAsLabelsNumbersAndBooleans) {
  const Frame frame = MakeFrame();
  const RowEncoder encoder(frame.schema, frame.task, frame.space);
  for (const char* text : {"1", "\"1\"", "true", "1.0", "\" 1.0\""}) EXPECT_EQ(encoder.Truth(ParseJson(text, "t")), 1) << text;
  for (const char* text : {"2", "null", "\"yes\"", "[]", "{}"}) EXPECT_THROW(encoder.Truth(ParseJson(text, "t")), RowError) << text;
}

}  // namespace
}  // namespace everlearn
