// Tests of tables, columns and their texts.
#include "data/table.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace everlearn {
namespace {

Column Text(const std::string& name, const std::vector<const char*>& values) {
  Column column{.name = name, .type = ColumnType::kText};
  for (const char* value : values) {
    if (value == nullptr) column.text.AppendMissing();
    else column.text.Append(value);
  }
  return column;
}

TEST(Table, TypeNamesReadBack) {
  for (const ColumnType type :
       {ColumnType::kNumber, ColumnType::kInteger, ColumnType::kBoolean, ColumnType::kTimestamp, ColumnType::kCategory, ColumnType::kText})
    EXPECT_EQ(ParseColumnType(ColumnTypeName(type)), type);
  try {
    ParseColumnType("numbr");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(error.hint(), "did you mean 'number'?");
  }
}

TEST(Table, MissingTextIsNotEmptyText) {
  const Column column = Text("t", {"", nullptr, "Zoë"});
  EXPECT_EQ(column.size(), 3U);
  EXPECT_FALSE(column.missing(0));
  EXPECT_TRUE(column.missing(1));
  EXPECT_EQ(column.TextAt(1), "");
  EXPECT_EQ(column.TextAt(2), "Zoë");
}

TEST(Table, NumbersAsText) {
  EXPECT_EQ(PlainNumber(3), "3");
  EXPECT_EQ(PlainNumber(-0.0), "0");
  EXPECT_EQ(PlainNumber(0.1), "0.1");
  EXPECT_EQ(PlainNumber(1e15), "1000000000000000");
  EXPECT_EQ(PlainNumber(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(PlainNumber(1e308), "1e+308");
  EXPECT_EQ(PlainNumber(-2.5e-9), "-2.5e-09");
}

TEST(Table, ValuesAsText) {
  const Column flag{.name = "b", .type = ColumnType::kBoolean, .numbers = {0, 1, kMissing}};
  EXPECT_EQ(flag.TextAt(0), "false");
  EXPECT_EQ(flag.TextAt(1), "true");
  EXPECT_EQ(flag.TextAt(2), "");
  const Column time{.name = "t", .type = ColumnType::kTimestamp, .numbers = {1359695700e6}};
  EXPECT_EQ(time.TextAt(0), "2013-02-01T05:15:00Z");
  const Column category{.name = "c", .type = ColumnType::kCategory, .codes = {1, -1}, .dictionary = {"x", "y"}};
  EXPECT_EQ(category.TextAt(0), "y");
  EXPECT_TRUE(category.missing(1));
}

TEST(Table, SelectRebuildsDictionaries) {
  Table table{.rows = 3,
              .columns = {Column{.name = "c", .type = ColumnType::kCategory, .codes = {0, 1, 2}, .dictionary = {"a", "b", "c"}},
                          Column{.name = "n", .type = ColumnType::kNumber, .numbers = {1, kMissing, 3}}, Text("t", {"x", nullptr, "z"})}};
  const std::vector<uint32_t> rows = {2, 0, 2, 1};
  const Table selected = table.Select(rows);
  EXPECT_EQ(selected.rows, 4U);
  EXPECT_EQ(selected.columns[0].dictionary, (std::vector<std::string>{"c", "a", "b"}));
  EXPECT_EQ(selected.columns[0].codes, (std::vector<int32_t>{0, 1, 0, 2}));
  EXPECT_EQ(selected.columns[1].numbers[0], 3);
  EXPECT_TRUE(selected.columns[1].missing(3));
  EXPECT_EQ(selected.columns[2].TextAt(0), "z");
  EXPECT_TRUE(selected.columns[2].missing(3));
}

TEST(Table, AppendJoinsDictionariesAndTypes) {
  Table table{.rows = 1,
              .columns = {Column{.name = "c", .type = ColumnType::kCategory, .codes = {0}, .dictionary = {"a"}},
                          Column{.name = "i", .type = ColumnType::kInteger, .numbers = {7}}}};
  Table other{.rows = 2,
              .columns = {Column{.name = "c", .type = ColumnType::kCategory, .codes = {0, 1}, .dictionary = {"b", "a"}},
                          Text("i", {"9007199254740993", nullptr})}};
  table.Append(other);
  EXPECT_EQ(table.rows, 3U);
  EXPECT_EQ(table.columns[0].codes, (std::vector<int32_t>{0, 1, 0}));
  EXPECT_EQ(table.columns[1].type, ColumnType::kText);
  EXPECT_EQ(table.columns[1].TextAt(0), "7");
  EXPECT_EQ(table.columns[1].TextAt(1), "9007199254740993");
  EXPECT_TRUE(table.columns[1].missing(2));
}

TEST(Table, AbsentColumnIsNamedWithItsNearest) {
  const Table table{.rows = 0, .columns = {Column{.name = "income"}}};
  EXPECT_EQ(table.Find("income"), 0);
  EXPECT_EQ(table.Find("x"), -1);
  try {
    table.Get("incom", "a.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_EQ(error.message(), "a.csv has no column 'incom'");
    EXPECT_EQ(error.hint(), "did you mean 'income'?");
  }
}

}  // namespace
}  // namespace everlearn
