// Raw rows of a source as a task takes them, and what is told of columns that change.
#include "loop/source_rows.h"

#include <gtest/gtest.h>

#include <cmath>

namespace everlearn {
namespace {

Table TextTable(const std::vector<std::string>& names, const std::vector<std::vector<std::string>>& rows) {
  Table table;
  table.rows = rows.size();
  for (size_t c = 0; c < names.size(); ++c) {
    Column& column = table.columns.emplace_back(Column{.name = names[c], .type = ColumnType::kText});
    for (const auto& row : rows) column.text.Append(row[c]);
  }
  return table;
}

class SourceRowsTest : public testing::Test {
 protected:
  SourceRowsTest() {
    const Table past =
        TextTable({"id", "at", "a", "colour", "seen", "y"}, {{"x1", "2024-01-01T01:00:00Z", "1.5", "p", "2024-01-02", "no"},
                                                             {"x2", "2024-01-01T02:30:00Z", "2", "q", "2024-01-02", "yes"},
                                                             {"x3", "2024-01-01T03:30:00Z", "2.5", "p", "2024-01-02", "yes"}});
    std::vector<SchemaWarning> warnings;
    frame_.schema =
        InferSchema(past, {{{"colour", ColumnType::kCategory}, {"a", ColumnType::kNumber}, {"id", ColumnType::kText}}, "past"}, &warnings);
    frame_.task = MakeTask(past, frame_.schema, {.target = "y", .time = "at", .key = {"id"}, .ignore = {"seen"}}, "past");
    frame_.space = FeatureSpace::Build(Conform(past, frame_.schema, {}, "past"), frame_.schema, frame_.task, false);
  }
  std::vector<SourceRow> Take(SourceRows& rows, Table table, bool sparse = false) {
    events_.clear();
    GrowthBatch batch;
    batch.rows = std::move(table);
    batch.from = "new.csv";
    batch.sparse = sparse;
    return rows.Take(batch, &events_);
  }
  TaskFrame frame_;
  std::vector<JsonObject> events_;
  const std::vector<std::string> names_ = {"id", "at", "a", "colour", "seen", "y"};
};

TEST_F(SourceRowsTest, RowsAreInTheOrderOfTimeWithTheirOutcomesBeside) {
  SourceRows rows(frame_, {"seen", 0});
  const auto taken = Take(rows, TextTable(names_, {{"b", "2024-02-01T02:00:00Z", "2", "p", "2024-02-02", "yes"},
                                                   {"a", "2024-02-01T01:00:00Z", "1", "new", "2024-02-03", "no"},
                                                   {"c", "2024-02-01T03:00:00Z", "", "q", "", "no"},
                                                   {"d", "2024-02-01T04:00:00Z", "4", "q", "2024-02-03", "NA"},
                                                   {"e", "", "4", "q", "2024-02-03", "no"}}));
  ASSERT_EQ(taken.size(), 4u);
  EXPECT_EQ(taken[0].row.at("id"), Json("a"));
  EXPECT_EQ(taken[0].truth, 0);
  EXPECT_EQ(taken[0].due - taken[0].time, int64_t{47} * 3'600'000'000);
  EXPECT_FALSE(taken[0].row.contains("y"));
  EXPECT_FALSE(taken[0].row.contains("seen"));
  EXPECT_NE(taken[0].key, taken[1].key);
  EXPECT_EQ(taken[1].truth, 1);
  EXPECT_TRUE(std::isnan(taken[2].truth)) << "an outcome without a time is never known";
  EXPECT_TRUE(std::isnan(taken[3].truth)) << "a missing one is none yet";
  EXPECT_EQ(rows.without_time(), 1u);
  EXPECT_TRUE(events_.empty());
}

TEST_F(SourceRowsTest, ColumnsThatChangeAreToldOnce) {
  SourceRows rows(frame_, {"", 3});
  const std::vector<std::string> lacking = {"id", "at", "colour", "extra"};
  auto taken = Take(rows, TextTable(lacking, {{"a", "2024-02-01", "p", "1"}}));
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].after, 3);
  ASSERT_EQ(events_.size(), 2u);
  EXPECT_EQ(ToText(events_[0]), R"({"change": "new", "columns": ["extra"], "from": "new.csv", "done": "left out of the features"})");
  EXPECT_EQ(ToText(events_[1]), R"({"change": "vanished", "columns": ["a"], "from": "new.csv", "done": "missing values"})");
  SourceRows later(frame_, {"", 0});
  later.Load(rows.Save());
  Take(later, TextTable(lacking, {{"a", "2024-02-01", "p", "1"}}));
  EXPECT_TRUE(events_.empty()) << "also after a restart";
  EXPECT_EQ(later.Lacking(), JsonArray{"a"});
  Take(later, TextTable(names_, {{"b", "2024-02-02", "1", "p", "", "no"}}));
  EXPECT_TRUE(later.Lacking().empty());
  Take(later, TextTable({"id", "at"}, {{"b", "2024-02-02"}}), true);
  EXPECT_TRUE(events_.empty()) << "a few rows of JSON may have no values";
}

TEST_F(SourceRowsTest, ValuesThatCannotBeReadAreMissingAndCounted) {
  SourceRows rows(frame_, {"", 0});
  std::vector<uint64_t> told;
  for (int batch = 0; batch < 10; ++batch) {
    const auto taken =
        Take(rows, TextTable(names_, {{"a", "2024-02-01", "much", "p", "", "maybe"}, {"b", "2024-02-01", "5", "p", "", "no"}}));
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_TRUE(taken[0].row.at("a").is_null());
    EXPECT_TRUE(std::isnan(taken[0].truth));
    EXPECT_EQ(taken[1].row.at("a"), Json("5"));
    for (const JsonObject& event : events_)
      if (event.at("columns") == Json(JsonArray{"a"})) told.push_back(event.at("values").to_number<uint64_t>());
  }
  EXPECT_EQ(told, (std::vector<uint64_t>{1, 2, 4, 8}));
}

}  // namespace
}  // namespace everlearn
