// Tests of features: which columns, their dictionaries, the parts of timestamps, unseen and missing values.
#include "model/feature_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/timestamp.h"

namespace everlearn {
namespace {

using testing::ElementsAre;
using testing::NanSensitiveDoubleEq;
using testing::Pointwise;

Column Number(const std::string& name, ColumnType type, std::vector<double> values) {
  Column column;
  column.name = name;
  column.type = type;
  column.numbers = std::move(values);
  return column;
}

Column Category(const std::string& name, std::vector<int32_t> codes, std::vector<std::string> dictionary) {
  Column column;
  column.name = name;
  column.type = ColumnType::kCategory;
  column.codes = std::move(codes);
  column.dictionary = std::move(dictionary);
  return column;
}

double At(const char* text) { return static_cast<double>(*ParseTimestamp(text)); }

Table Sample() {
  Table table;
  table.rows = 2;
  table.columns.push_back(Number("age", ColumnType::kNumber, {31.5, kMissing}));
  table.columns.push_back(Number("member", ColumnType::kBoolean, {1, 0}));
  table.columns.push_back(Category("town", {0, -1}, {"Bern"}));
  table.columns.push_back(Number("when", ColumnType::kTimestamp, {At("2013-02-01T06:30:00Z"), kMissing}));
  table.columns.push_back(Number("born", ColumnType::kTimestamp, {At("1970-01-03"), At("1970-01-01")}));
  for (const char* name : {"y", "weight", "id", "same", "skipped", "key"})
    table.columns.push_back(Number(name, ColumnType::kNumber, {1, 2}));
  return table;
}

Schema SchemaOf(const Table& table) {
  Schema schema;
  for (const Column& column : table.columns) {
    ColumnSchema entry;
    entry.name = column.name;
    entry.type = column.type;
    entry.kind = column.name == "id" ? "id" : column.name == "same" ? "constant" : std::string(ColumnTypeName(column.type));
    schema.columns.push_back(std::move(entry));
  }
  return schema;
}

Task SampleTask() {
  Task task;
  task.target = "y";
  task.weight = "weight";
  task.time = "when";
  task.key = {"key"};
  task.ignore = {"skipped"};
  return task;
}

std::vector<std::string> NamesOf(const FeatureSpace& space) {
  std::vector<std::string> names;
  for (const Feature& feature : space.features()) names.push_back(feature.name);
  return names;
}

TEST(FeatureSpace, TakesColumnsWithoutARole) {
  const Table table = Sample();
  const Schema schema = SchemaOf(table);
  EXPECT_THAT(NamesOf(FeatureSpace::Build(table, schema, SampleTask(), true)),
              ElementsAre("age", "member", "town", "when.days", "when.hour", "when.hour_of_day", "when.minute", "when.weekday", "when.day",
                          "when.day_of_year", "when.month", "when.year", "born.days", "born.weekday", "born.day", "born.day_of_year",
                          "born.month", "born.year"));
  const FeatureSpace later = FeatureSpace::Build(table, schema, SampleTask(), false);
  EXPECT_THAT(NamesOf(later), ElementsAre("age", "member", "town", "when.hour", "when.hour_of_day", "when.minute", "when.weekday",
                                          "born.weekday", "born.day", "born.day_of_year"));
  EXPECT_THAT(later.Columns(), ElementsAre("age", "member", "town", "when", "born"));
}

TEST(FeatureSpace, EncodesRows) {
  const Table table = Sample();
  const FeatureSpace space = FeatureSpace::Build(table, SchemaOf(table), SampleTask(), true);
  const std::vector<double> values = space.Encode(table);
  const auto is = [](double x) { return NanSensitiveDoubleEq(x); };
  // 2013-02-01 is day 15737 since 1970 (date -d 2013-02-01 +%s / 86400), a Friday, the 32nd day of its year. Months are codes from 0 on.
  EXPECT_THAT(std::vector<double>(values.begin(), values.begin() + 18),
              ElementsAre(is(31.5), is(1), is(0), is(15737 + 6.5 / 24), is(6.5), is(6), is(30), is(4), is(1), is(32), is(1), is(2013),
                          is(2), is(5), is(3), is(3), is(0), is(1970)));
  const auto missing = is(kMissing);
  EXPECT_THAT(std::vector<double>(values.begin() + 18, values.end()),
              ElementsAre(missing, is(0), missing, missing, missing, missing, missing, missing, missing, missing, missing, missing, is(0),
                          is(3), is(1), is(1), is(0), is(1970)));
}

TEST(FeatureSpace, MinutesOfEveryHourAreWhole) {
  for (int64_t minute = 0; minute < 24 * 60; ++minute) {
    const double time = At("2024-02-29") + static_cast<double>(minute * 60 * kMicrosecondsPerSecond);
    EXPECT_EQ(FeatureSpace::PartOf(FeaturePart::kMinute, time), static_cast<double>(minute % 60));
    EXPECT_EQ(FeatureSpace::PartOf(FeaturePart::kHourOfDay, time), static_cast<double>(minute / 60));
  }
}

Table Comments(size_t rows) {
  Table table;
  table.rows = rows;
  Column column;
  column.name = "comment";
  column.type = ColumnType::kText;
  for (size_t i = 0; i < rows; ++i) {
    if (i == 1) column.text.AppendMissing();
    else column.text.Append(i % 2 == 0 ? "A fine place, really fine!" : "an AWFUL room");
  }
  table.columns.push_back(std::move(column));
  table.columns.push_back(Number("age", ColumnType::kNumber, std::vector<double>(rows, 7)));
  return table;
}

TEST(FeatureSpace, TextsBecomeNumbersBesideOthers) {
  const Table table = Comments(40);
  const FeatureSpace space = FeatureSpace::Build(table, SchemaOf(table), {}, true, 64);
  ASSERT_GT(space.size(), 20u);
  ASSERT_LE(space.size(), 65u);
  EXPECT_THAT(space.Columns(), ElementsAre("comment", "age"));
  EXPECT_EQ(space.features().back().name, "age");
  EXPECT_EQ(space.features()[0].name, "comment: length");
  const std::vector<double> values = space.Encode(table);
  EXPECT_THAT(space.Encode(table, 2), Pointwise(NanSensitiveDoubleEq(), values));
  EXPECT_DOUBLE_EQ(values[0], std::log1p(6));  // 5 words and an exclamation mark
  EXPECT_TRUE(std::isnan(values[space.size()]));
  EXPECT_EQ(values[2 * space.size() - 1], 7);
  const size_t fine = static_cast<size_t>(
      std::find_if(space.features().begin(), space.features().end(), [](const Feature& f) { return f.name == "comment: word fine"; }) -
      space.features().begin());
  ASSERT_LT(fine, space.size());
  EXPECT_GT(values[fine], 0);
  EXPECT_EQ(values[3 * space.size() + fine], 0);

  ArrayFileWriter writer;
  const Json json = space.Save(&writer);
  const FeatureSpace loaded = FeatureSpace::Load(json, *ArrayFile::Parse(writer.Bytes(), "x"));
  EXPECT_EQ(NamesOf(loaded), NamesOf(space));
  const std::vector<double> again = loaded.Encode(table);
  EXPECT_THAT(again, Pointwise(NanSensitiveDoubleEq(), values));

  Table other = table;
  other.columns[0] = Number("comment", ColumnType::kNumber, std::vector<double>(40, 1));
  EXPECT_THROW(space.Encode(other), Error);
}

TEST(FeatureSpace, MapsDictionariesAndGrows) {
  Table table;
  table.rows = 3;
  table.columns.push_back(Category("town", {0, 1, 0}, {"Bern", "Basel"}));
  table.columns.push_back(Number("y", ColumnType::kNumber, {1, 2, 3}));
  Task task;
  task.target = "y";
  FeatureSpace space = FeatureSpace::Build(table, SchemaOf(table), task, true);
  Table later;
  later.rows = 4;
  later.columns.push_back(Category("town", {0, 1, -1, 2}, {"Chur", "Basel", "Bern"}));
  EXPECT_THAT(space.Encode(later), ElementsAre(2, 1, NanSensitiveDoubleEq(kMissing), 0));
  EXPECT_THAT(space.EncodeGrowing(later), ElementsAre(2, 1, NanSensitiveDoubleEq(kMissing), 0));
  EXPECT_THAT(space.features()[0].dictionary, ElementsAre("Bern", "Basel", "Chur"));

  ArrayFileWriter writer;
  const Json json = space.Save(&writer);
  const FeatureSpace loaded = FeatureSpace::Load(json, *ArrayFile::Parse(writer.Bytes(), "x"));
  EXPECT_EQ(loaded.features()[0].dictionary, space.features()[0].dictionary);
  EXPECT_THAT(loaded.Encode(later), ElementsAre(2, 1, NanSensitiveDoubleEq(kMissing), 0));
}

TEST(FeatureSpace, KeepsTheMostFrequentValues) {
  Table table;
  table.rows = 70'001;
  Column column = Category("code", {}, {});
  for (int32_t i = 0; i < 70'000; ++i) {
    column.codes.push_back(i);
    column.dictionary.push_back(std::to_string(i));
  }
  column.codes.push_back(69'999);
  table.columns.push_back(std::move(column));
  const FeatureSpace space = FeatureSpace::Build(table, SchemaOf(table), {}, true);
  const std::vector<std::string>& dictionary = space.features()[0].dictionary;
  EXPECT_EQ(dictionary.size(), 65'535u);
  EXPECT_EQ(dictionary[65'533], "65533");
  EXPECT_EQ(dictionary.back(), "69999");
  EXPECT_EQ(space.Encode(table)[65'534], 65'535.0);
}

TEST(FeatureSpace, RefusesOtherTypes) {
  const Table table = Sample();
  const FeatureSpace space = FeatureSpace::Build(table, SchemaOf(table), SampleTask(), true);
  Table other = table;
  other.columns[0] = Category("age", {0, 0}, {"old"});
  EXPECT_THROW(space.Encode(other), Error);
  other.columns[0] = Number("other", ColumnType::kNumber, {1, 2});
  EXPECT_THROW(space.Encode(other), Error);
}

}  // namespace
}  // namespace everlearn
