// Tests of tasks: kinds, labels, target values.
#include "data/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_files.h"

namespace everlearn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Table TextTable(const std::vector<std::string>& target, const std::string& name = "y") {
  Table table{.rows = target.size()};
  Column y{.name = name, .type = ColumnType::kText};
  Column x{.name = "x", .type = ColumnType::kNumber};
  for (const std::string& value : target) {
    if (value.empty()) y.text.AppendMissing();
    else y.text.Append(value);
    x.numbers.push_back(static_cast<double>(x.numbers.size()));
  }
  table.columns = {std::move(y), std::move(x)};
  return table;
}

Table NumberTable(ColumnType type, std::vector<double> values) {
  Table table{.rows = values.size()};
  table.columns.push_back(Column{.name = "y", .type = type, .numbers = std::move(values)});
  return table;
}

Schema SchemaOf(const Table& table) { return InferSchema(table, {.source = "t"}, nullptr); }

Task Make(const Table& table, TaskOptions options = {}) {
  if (options.target.empty()) options.target = "y";
  return MakeTask(table, SchemaOf(table), options, "t.csv");
}

std::vector<double> Values(const Table& table, const Task& task) { return TargetValues(table, SchemaOf(table), task, "t.csv"); }

std::vector<std::string> Cycle(int values, size_t rows, int first = 0, int step = 1) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < rows; ++i) texts.push_back(std::to_string(first + step * static_cast<int>(i % static_cast<size_t>(values))));
  return texts;
}

TEST(Task, TextIsClasses) {
  const Table table = TextTable({">50K", "<=50K", "", ">50K"});
  const Task task = Make(table);
  EXPECT_EQ(task.kind, TaskKind::kBinary);
  EXPECT_EQ(task.metric, "log_loss");
  EXPECT_THAT(task.labels, ElementsAre("<=50K", ">50K"));
  EXPECT_EQ(task.outputs(), 2U);
  EXPECT_EQ(task.LabelIndex(">50K"), 1);
  EXPECT_EQ(task.LabelIndex("x"), -1);
  const auto values = Values(table, task);
  EXPECT_EQ(values[0], 1.0);
  EXPECT_EQ(values[1], 0.0);
  EXPECT_TRUE(std::isnan(values[2]));
  EXPECT_EQ(Make(TextTable({"a", "b", "c"})).kind, TaskKind::kMulticlass);
}

TEST(Task, BooleanKeepsItsWords) {
  const Table table = TextTable({"Yes", "No", "No"});
  const Task task = Make(table);
  EXPECT_EQ(task.kind, TaskKind::kBinary);
  EXPECT_THAT(task.labels, ElementsAre("No", "Yes"));
  EXPECT_THAT(Values(table, task), ElementsAre(1, 0, 0));
  const Table typed = NumberTable(ColumnType::kBoolean, {1, 0, 1});
  EXPECT_THAT(Make(typed).labels, ElementsAre("false", "true"));
  // The model's schema knows the words, so a typed file fits it.
  EXPECT_THAT(TargetValues(typed, SchemaOf(table), task, "t.parquet"), ElementsAre(1, 0, 1));
}

TEST(Task, IntegersAreClassesWhereTheyAreCodes) {
  EXPECT_EQ(Make(TextTable(Cycle(2, 50))).kind, TaskKind::kBinary);
  EXPECT_EQ(Make(TextTable(Cycle(2, 50, -1, 2))).kind, TaskKind::kBinary);  // -1 and 1
  EXPECT_EQ(Make(TextTable(Cycle(7, 100, 1))).kind, TaskKind::kMulticlass);
  EXPECT_EQ(Make(TextTable(Cycle(3, 30))).kind, TaskKind::kMulticlass);
  EXPECT_EQ(Make(TextTable(Cycle(40, 4000))).kind, TaskKind::kMulticlass);
  EXPECT_EQ(Make(TextTable(Cycle(6, 600, 2, 3))).kind, TaskKind::kMulticlass);  // gaps, but even
  EXPECT_EQ(Make(TextTable(Cycle(7, 30))).kind, TaskKind::kRegression);         // too few rows
  EXPECT_EQ(Make(TextTable(Cycle(60, 6000))).kind, TaskKind::kRegression);      // too many values
  auto ratings = Cycle(7, 700, 3);                                              // 3 … 9, most in the middle
  for (int i = 0; i < 1000; ++i) ratings.emplace_back("6");
  EXPECT_EQ(Make(TextTable(ratings)).kind, TaskKind::kRegression);
  auto counts = Cycle(3, 3000);
  counts.insert(counts.end(), {"3", "4"});  // a thin tail, as counts have
  EXPECT_EQ(Make(TextTable(counts)).kind, TaskKind::kRegression);
}

TEST(Task, LabelsAreSortedBytewise) {
  EXPECT_THAT(Make(TextTable(Cycle(11, 220))).labels, ElementsAre("0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9"));
}

TEST(Task, NumbersAreRegression) {
  const Table table = TextTable({"1.5", "2.5", "", "$1,000"});
  const Task task = Make(table);
  EXPECT_EQ(task.kind, TaskKind::kRegression);
  EXPECT_EQ(task.metric, "rmse");
  EXPECT_TRUE(task.labels.empty());
  EXPECT_EQ(task.outputs(), 1U);
  EXPECT_EQ(Values(table, task)[3], 1000.0);
  EXPECT_EQ(Make(TextTable({"0.5", "1.5", "0.5"})).kind, TaskKind::kBinary);
}

TEST(Task, Constants) {
  EXPECT_EQ(Make(TextTable(Cycle(1, 60, 5))).kind, TaskKind::kRegression);
  const Task task = Make(TextTable({"a", "a"}));
  EXPECT_EQ(task.kind, TaskKind::kBinary);
  EXPECT_THAT(task.labels, ElementsAre("a"));
}

TEST(Task, KindsThatTheUserGives) {
  EXPECT_THAT(Make(TextTable({"3", "4", "3"}), {.kind = "multiclass"}).labels, ElementsAre("3", "4"));
  EXPECT_EQ(Make(TextTable(Cycle(3, 90)), {.kind = "regression", .metric = "mae"}).metric, "mae");
  const Error three = ErrorOf([] { Make(TextTable({"a", "b", "c"}), {.kind = "binary"}); });
  EXPECT_EQ(three.kind(), ErrorKind::kInput);
  EXPECT_THAT(three.message(), HasSubstr("3 classes"));
  const Error word = ErrorOf([] { Make(TextTable({"1", "2", "many", "few", "lots"}), {.kind = "regression"}); });
  EXPECT_EQ(word.kind(), ErrorKind::kInput);
  EXPECT_THAT(word.message(), HasSubstr("row 3"));
  EXPECT_THAT(word.message(), HasSubstr("'many'"));
  EXPECT_EQ(ErrorOf([] { Make(TextTable({"1"}), {.kind = "clustering"}); }).kind(), ErrorKind::kUsage);
}

TEST(Task, OneClassHoweverItIsWritten) {
  const Table mixed = TextTable({"1", "1.0", "0", "0.0"});
  const Task task = Make(mixed);
  EXPECT_THAT(task.labels, ElementsAre("0", "1"));
  EXPECT_THAT(Values(mixed, task), ElementsAre(1, 1, 0, 0));
  const Table typed = NumberTable(ColumnType::kInteger, {0, 1});
  EXPECT_THAT(TargetValues(typed, SchemaOf(mixed), task, "t.parquet"), ElementsAre(0, 1));
}

TEST(Task, UnknownLabels) {
  const Table train = TextTable({"a", "b", "a"});
  const Table later = TextTable({"a", "c"});
  const Task task = Make(train);
  const Error error = ErrorOf([&] { TargetValues(later, SchemaOf(train), task, "l.csv"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_EQ(error.message(), "l.csv, row 2: target 'y' is 'c', which is no class of this task");
  EXPECT_TRUE(std::isnan(TargetValues(later, SchemaOf(train), task, "l.csv", true)[1]));
}

TEST(Task, RefusesTargetsThatCannotBe) {
  const Error missing = ErrorOf([] { Make(TextTable({"", "NA", "?"}, "wanted"), {.target = "wanted"}); });
  EXPECT_EQ(missing.kind(), ErrorKind::kInput);
  EXPECT_EQ(missing.message(), "t.csv: target 'wanted' is missing in every row");
  const Error absent = ErrorOf([] { Make(TextTable({"1"}, "income"), {.target = "incom"}); });
  EXPECT_EQ(absent.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(absent.hint(), "did you mean 'income'?");
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) names.push_back("n" + std::to_string(i));
  EXPECT_EQ(ErrorOf([&] { Make(TextTable(names)); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([] { Make(NumberTable(ColumnType::kTimestamp, {0, 1e12})); }).kind(), ErrorKind::kInput);
}

TEST(Task, RolesMustBeColumns) {
  const Table table = TextTable({"a", "b"});
  EXPECT_EQ(Make(table, {.time = "x"}).time, "x");
  EXPECT_EQ(ErrorOf([&] { Make(table, {.weight = "w"}); }).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf([&] { Make(table, {.ignore = {"z"}}); }).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf([&] { Make(table, {.key = {"y"}}); }).kind(), ErrorKind::kUsage);
}

TEST(Task, JsonReadsBack) {
  const Task task = Make(TextTable({"b", "a"}), {.time = "x", .ignore = {"x"}});
  const Task read = Task::FromJson(ParseJson(ToText(task.ToJson()), "the task"));
  EXPECT_EQ(ToText(read.ToJson()), ToText(task.ToJson()));
  for (const char* bad : {R"({"target": "y"})", R"([])"})
    EXPECT_EQ(ErrorOf([&] { Task::FromJson(ParseJson(bad, "the task")); }).kind(), ErrorKind::kDamaged);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"\"a\", \"b\"", "\"b\", \"a\""},
                                                                                 {"\"a\", \"b\"", "\"a\", \"a\""},
                                                                                 {"\"a\", \"b\"", ""},
                                                                                 {"binary", "regression"},
                                                                                 {"binary", "trinary"}}) {
    std::string damaged = ToText(task.ToJson());
    damaged.replace(damaged.find(from), from.size(), to);
    EXPECT_EQ(ErrorOf([&] { Task::FromJson(ParseJson(damaged, "the task")); }).kind(), ErrorKind::kDamaged) << damaged;
  }
}

TEST(Task, JsonKeepsTheDecision) {
  Task task = Make(TextTable({"b", "a"}), {});
  EXPECT_FALSE(task.ToJson().as_object().contains("decision"));
  task.decision = {1, 0.2};
  JsonObject json = task.ToJson().as_object();
  EXPECT_EQ(Task::FromJson(json).decision, task.decision);
  for (const char* bad : {"[]", "[1]", "[1, 2, 3]", "[1, -1]", "[0, 0]", "[1, \"x\"]", "[1, null]", "7"}) {
    json["decision"] = ParseJson(bad, "test");
    EXPECT_EQ(ErrorOf([&] { Task::FromJson(json); }).kind(), ErrorKind::kDamaged) << bad;
  }
}

}  // namespace
}  // namespace everlearn
