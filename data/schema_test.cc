// Tests of inference, of typing batches, and of the schema's JSON.
#include "data/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/timestamp.h"
#include "data/reader.h"
#include "data/task.h"
#include "data/test_files.h"

namespace everlearn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Column Texts(const std::string& name, const std::vector<std::string>& values) {
  Column column{.name = name, .type = ColumnType::kText};
  for (const std::string& value : values) {
    if (value.empty()) column.text.AppendMissing();
    else column.text.Append(value);
  }
  return column;
}

Table OneColumn(Column column) {
  Table table{.rows = column.size()};
  table.columns.push_back(std::move(column));
  return table;
}

// `values`, again and again, `rows` in all.
std::vector<std::string> Repeat(const std::vector<std::string>& values, size_t rows) {
  std::vector<std::string> all;
  for (size_t i = 0; i < rows; ++i) all.push_back(values[i % values.size()]);
  return all;
}

template <typename Make>
std::vector<std::string> Each(size_t rows, const Make& make) {
  std::vector<std::string> all;
  for (size_t i = 0; i < rows; ++i) all.push_back(make(i));
  return all;
}

struct Inferred {
  ColumnSchema schema;
  std::vector<SchemaWarning> warnings;
  Column typed;
};

Inferred Infer(Column column, std::map<std::string, ColumnType> types = {}) {
  const Table table = OneColumn(std::move(column));
  Inferred inferred;
  const Schema schema = InferSchema(table, {.types = std::move(types), .source = "t.csv"}, &inferred.warnings);
  inferred.schema = schema.columns.at(0);
  inferred.typed = Conform(table, schema, {}, "t.csv").columns.at(0);
  return inferred;
}

Inferred InferTexts(const std::vector<std::string>& values, const std::string& name = "x") { return Infer(Texts(name, values)); }

TEST(InferSchema, NumbersAndIntegers) {
  EXPECT_EQ(InferTexts({"1", "2", "NA", "2"}).schema.kind, "integer");
  const auto number = InferTexts({"1.0", " 2", "", "-3e2"});
  EXPECT_EQ(number.schema.kind, "number");
  EXPECT_EQ(number.typed.numbers[1], 2.0);
  EXPECT_EQ(number.typed.numbers[3], -300.0);
  EXPECT_TRUE(number.typed.missing(2));
}

TEST(InferSchema, HugeNumbersStayNumbers) {
  const auto huge = InferTexts({"1e308", "-1e308", "3", "1e999"});
  EXPECT_EQ(huge.schema.kind, "number");
  EXPECT_EQ(huge.typed.numbers[0], 1e308);
  EXPECT_TRUE(huge.typed.missing(3));
}

TEST(InferSchema, IntegersThatDoublesCannotHoldAreNoNumbers) {
  const auto inferred = InferTexts(Repeat({"12345678901234567890", "12345678901234567891"}, 10));
  EXPECT_EQ(inferred.schema.kind, "category");
  EXPECT_EQ(inferred.typed.dictionary.size(), 2U);
}

TEST(InferSchema, DecoratedNumbers) {
  const auto money = InferTexts({"$1,200.50", "$3", "17", "NA"});
  EXPECT_EQ(money.schema.type, ColumnType::kNumber);
  EXPECT_TRUE(money.schema.percent_or_currency);
  EXPECT_EQ(money.typed.numbers[0], 1200.5);
  EXPECT_EQ(InferTexts({"12%", "7.5%"}).typed.numbers[1], 7.5);
}

TEST(InferSchema, FewStrayWordsBecomeMissing) {
  auto values = Repeat({"1", "2", "3"}, 95);
  values.insert(values.end(), {"unknown", "unknown", "-", "broken", "unknown"});
  const auto inferred = InferTexts(values);
  EXPECT_EQ(inferred.schema.kind, "integer");
  EXPECT_THAT(inferred.schema.missing_tokens, ElementsAre("-", "broken", "unknown"));
  ASSERT_EQ(inferred.warnings.size(), 1U);
  EXPECT_EQ(inferred.warnings[0].code, "stray_text");
  EXPECT_EQ(inferred.warnings[0].column, "x");
  EXPECT_THAT(inferred.warnings[0].message, HasSubstr("'unknown'"));
  EXPECT_TRUE(inferred.typed.missing(95));
}

TEST(InferSchema, ManyStrayWordsMakeCategories) {
  auto values = Repeat({"1", "2", "3"}, 80);
  values.resize(100, "unknown");
  EXPECT_EQ(InferTexts(values).schema.kind, "category");
  auto distinct = Repeat({"1", "2", "3"}, 94);
  for (const char* word : {"a", "b", "c", "d", "e", "f"}) distinct.emplace_back(word);
  EXPECT_EQ(InferTexts(distinct).schema.kind, "category");
}

TEST(InferSchema, NoneIsMissingAmongNumbersOnly) {
  auto numbers = Repeat({"1", "2.5"}, 40);
  numbers.resize(60, "None");
  const auto number = InferTexts(numbers);
  EXPECT_EQ(number.schema.kind, "number");
  EXPECT_TRUE(number.warnings.empty());
  EXPECT_TRUE(number.typed.missing(59));
  EXPECT_FALSE(InferTexts({"None", "Labor Day", "None", "Easter"}).typed.missing(0));
}

TEST(InferSchema, LeadingZerosAreCodes) {
  const auto inferred = InferTexts({"01234", "98765", "01234", "10001"});
  EXPECT_EQ(inferred.schema.kind, "category");
  EXPECT_EQ(inferred.typed.TextAt(0), "01234");
  EXPECT_EQ(InferTexts({"0", "0.5", "0"}).schema.kind, "number");
}

TEST(InferSchema, Booleans) {
  for (const auto& [no, yes] : std::vector<std::pair<std::string, std::string>>{
           {"no", "yes"}, {"False", "True"}, {"f", "t"}, {"N", "Y"}, {"off", "ON"}, {" no", "Yes "}}) {
    const auto inferred = InferTexts({yes, no, "", yes});
    EXPECT_EQ(inferred.schema.kind, "boolean") << yes;
    EXPECT_EQ(inferred.typed.numbers[0], 1.0);
    EXPECT_EQ(inferred.typed.numbers[1], 0.0);
    EXPECT_TRUE(inferred.typed.missing(2));
  }
  EXPECT_EQ(InferTexts({"yes", "no", "No phone service"}).schema.kind, "category");
  EXPECT_EQ(InferTexts({"t", "f", "n"}).schema.kind, "category");
  EXPECT_EQ(InferTexts({"yes", "false"}).schema.kind, "category");
}

TEST(InferSchema, Dates) {
  const auto day = [](const char* text) { return static_cast<double>(*ParseTimestamp(text)); };
  EXPECT_EQ(InferTexts({"2024-01-11", "2024-02-11 10:00"}).typed.numbers[0], day("2024-01-11"));
  const auto american = InferTexts({"2/1/2013", "2/14/2013"});
  EXPECT_EQ(american.schema.date_order, DateOrder::kMonthFirst);
  EXPECT_TRUE(american.warnings.empty());
  EXPECT_EQ(american.typed.numbers[0], day("2013-02-01"));
  const auto european = InferTexts({"2/1/2013", "14/2/2013"});
  EXPECT_EQ(european.schema.date_order, DateOrder::kDayFirst);
  EXPECT_EQ(european.typed.numbers[0], day("2013-01-02"));
  const auto dotted = InferTexts({"2.1.2013", "3.1.2013"});
  EXPECT_EQ(dotted.schema.date_order, DateOrder::kDayFirst);
  const auto unclear = InferTexts({"2/1/2013", "3/1/2013"});
  EXPECT_EQ(unclear.schema.date_order, DateOrder::kMonthFirst);
  ASSERT_EQ(unclear.warnings.size(), 1U);
  EXPECT_EQ(unclear.warnings[0].code, "ambiguous_date");
  EXPECT_EQ(InferTexts({"14/2/2013", "2/14/2013", "x", "14/2/2013"}).schema.kind, "category");
  auto gaps = Each(40, [](size_t i) { return "2024-01-" + std::to_string(10 + i % 20); });
  gaps.emplace_back("never");
  const auto stray = InferTexts(gaps);
  EXPECT_EQ(stray.schema.kind, "timestamp");
  EXPECT_TRUE(stray.typed.missing(40));
}

TEST(InferSchema, Constants) {
  EXPECT_EQ(InferTexts({"1", "1", "1"}).schema.kind, "constant");
  EXPECT_EQ(InferTexts({"a", "a"}).schema.kind, "constant");
  EXPECT_EQ(InferTexts({"", "", ""}).schema.kind, "constant");
  EXPECT_EQ(InferTexts({"2024-01-01", "2024-01-01"}).schema.kind, "constant");
  EXPECT_NE(InferTexts({"a", "", "a"}).schema.kind, "constant");  // that it is missing tells something
}

TEST(InferSchema, Ids) {
  const auto scattered = [](size_t i) { return std::to_string(i * 7919 % 100003); };
  EXPECT_EQ(InferTexts(Each(50, [](size_t i) { return std::to_string(i + 1); })).schema.kind, "id");
  EXPECT_EQ(InferTexts(Each(50, [](size_t i) { return std::to_string((i * 7) % 50); })).schema.kind, "id");
  EXPECT_EQ(InferTexts(Each(50, [](size_t i) { return std::to_string(i + 1950); }), "year").schema.kind, "integer");
  EXPECT_EQ(InferTexts(Each(50, scattered), "customerId").schema.kind, "id");
  EXPECT_EQ(InferTexts(Each(50, scattered), "order_ref").schema.kind, "id");
  EXPECT_EQ(InferTexts(Each(50, scattered), "population").schema.kind, "integer");
  EXPECT_EQ(InferTexts(Each(50, scattered), "grid").schema.kind, "integer");
  EXPECT_EQ(InferTexts(Each(50, [](size_t i) { return "A-" + std::to_string(i); })).schema.kind, "id");
  EXPECT_EQ(InferTexts({"Ann", "Bob", "Cid"}).schema.kind, "category");  // three rows show nothing
}

TEST(InferSchema, CodesOfCategories) {
  const auto code = [](size_t i) { return std::to_string(118000 + i * 37 % 10); };
  for (const char* name : {"ROLE_ROLLUP_1", "MGR_ID", "zip", "cover_type", "postal_code", "productCode"}) {
    const auto inferred = InferTexts(Each(100, code), name);
    EXPECT_EQ(inferred.schema.kind, "category") << name;
    EXPECT_EQ(inferred.typed.TextAt(0), "118000");
  }
  for (const char* name : {"age", "PAY_0", "typed", "zipper", "hours"})
    EXPECT_EQ(InferTexts(Each(100, code), name).schema.kind, "integer") << name;
  EXPECT_EQ(InferTexts(Each(100, [](size_t i) { return std::to_string(i * i); }), "zip").schema.kind, "integer");  // hardly repeats
}

TEST(InferSchema, CategoriesAndText) {
  EXPECT_EQ(InferTexts(Repeat({"red", "green", "blue"}, 30)).schema.kind, "category");
  EXPECT_EQ(InferTexts(Each(30, [](size_t i) { return "this is what customer " + std::to_string(i) + " said"; })).schema.kind, "text");
  EXPECT_EQ(InferTexts(Repeat({"a rather long sentence that repeats", "and another one of them"}, 30)).schema.kind, "category");
}

TEST(InferSchema, TextsThatAreOftenTheSame) {
  const auto remark = [](size_t i) { return "the parcel of customer " + std::to_string(i) + " came late"; };
  // Half of the rows say the same, or more; what else there is stands once.
  EXPECT_EQ(InferTexts(Each(400, [&](size_t i) { return i % 4 == 0 ? remark(i) : "nothing to say here"; })).schema.kind, "text");
  // Too few of them, a share too small, or none that stands once.
  EXPECT_EQ(InferTexts(Each(160, [&](size_t i) { return i % 4 == 0 ? remark(i) : "nothing to say here"; })).schema.kind, "category");
  EXPECT_EQ(InferTexts(Each(4000, [&](size_t i) { return i % 20 == 0 ? remark(i) : "nothing to say here"; })).schema.kind, "category");
  EXPECT_EQ(InferTexts(Each(400, [&](size_t i) { return remark(i % 100); })).schema.kind, "category");
}

TEST(InferSchema, LongCodesAreNoTexts) {
  const auto hash = [](size_t i) { return std::string(40, static_cast<char>('a' + i % 26)) + std::to_string(10'000 + i); };
  EXPECT_EQ(InferTexts(Each(60, hash)).schema.kind, "id");
  EXPECT_EQ(InferTexts(Each(60, [&](size_t i) { return hash(i * 2 / 3); })).schema.kind, "category");
  EXPECT_EQ(InferTexts(Each(60, [&](size_t i) { return hash(i) + std::string(i % 5, 'x'); })).schema.kind, "text");
}

TEST(InferSchema, TypedColumns) {
  EXPECT_EQ(Infer(Column{.name = "x", .type = ColumnType::kInteger, .numbers = {3, 1, 3}}).schema.kind, "integer");
  EXPECT_EQ(Infer(Column{.name = "x", .type = ColumnType::kNumber, .numbers = {3, 3}}).schema.kind, "constant");
  EXPECT_EQ(Infer(Column{.name = "x", .type = ColumnType::kBoolean, .numbers = {0, 1}}).schema.kind, "boolean");
  EXPECT_EQ(Infer(Column{.name = "x", .type = ColumnType::kTimestamp, .numbers = {0, 1e12}}).schema.kind, "timestamp");
  EXPECT_EQ(Infer(Column{.name = "x", .type = ColumnType::kNumber, .numbers = {kMissing, kMissing}}).schema.kind, "constant");
  EXPECT_EQ(Infer(Column{.name = "x", .type = ColumnType::kCategory, .codes = {0, 1}, .dictionary = {"a", "b"}}).schema.kind, "category");
}

TEST(InferSchema, TypesThatTheUserGives) {
  const auto force = [](const std::vector<std::string>& values, ColumnType type) { return Infer(Texts("x", values), {{"x", type}}); };
  EXPECT_EQ(force({"1", "2"}, ColumnType::kCategory).typed.TextAt(1), "2");
  EXPECT_EQ(force({"1", "1"}, ColumnType::kNumber).schema.kind, "number");
  EXPECT_EQ(force({"007", "008"}, ColumnType::kInteger).typed.numbers[0], 7.0);
  EXPECT_EQ(force({"smoker", "abstainer"}, ColumnType::kBoolean).typed.numbers[0], 1.0);
  EXPECT_EQ(force({"14/2/2013", "1/2/2013"}, ColumnType::kTimestamp).schema.date_order, DateOrder::kDayFirst);
  EXPECT_EQ(force({"a b c d", "e"}, ColumnType::kText).schema.kind, "text");
  const Error word = ErrorOf([&] { force({"1", "abc"}, ColumnType::kNumber); });
  EXPECT_EQ(word.kind(), ErrorKind::kInput);
  EXPECT_EQ(word.message(), "t.csv, row 2: column 'x' is 'abc', which is not a number");
  EXPECT_THAT(ErrorOf([&] { force({"1", "2.5"}, ColumnType::kInteger); }).message(), HasSubstr("row 2"));
  EXPECT_EQ(ErrorOf([&] { force({"yes", "perhaps", "no"}, ColumnType::kBoolean); }).kind(), ErrorKind::kInput);
  const Error absent = ErrorOf([] { Infer(Texts("xyz", {"1"}), {{"xyy", ColumnType::kText}}); });
  EXPECT_EQ(absent.kind(), ErrorKind::kUsage);
  EXPECT_EQ(absent.hint(), "did you mean 'xyz'?");
}

TEST(Conform, NamesPlaceAndValue) {
  const Schema schema{{{.name = "age", .type = ColumnType::kNumber, .kind = "number"}}};
  const Error error = ErrorOf([&] { Conform(OneColumn(Texts("age", {"1", "abc"})), schema, {}, "b.csv", 100); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_EQ(error.message(), "b.csv, row 102: column 'age' is 'abc', which is not a number");
  EXPECT_THAT(error.hint(), HasSubstr("--type age=category"));
  const Error absent = ErrorOf([&] { Conform(OneColumn(Texts("aeg", {"1"})), schema, {}, "b.csv"); });
  EXPECT_EQ(absent.kind(), ErrorKind::kInput);
  EXPECT_EQ(absent.message(), "b.csv has no column 'age'");
  EXPECT_EQ(absent.hint(), "did you mean 'aeg'?");
}

TEST(Conform, LongValuesAreCutBetweenCharacters) {
  const Schema schema{{{.name = "n", .type = ColumnType::kNumber, .kind = "number"}}};
  std::string value;
  for (int i = 0; i < 100; ++i) value += "ä";
  const Error error = ErrorOf([&] { Conform(OneColumn(Texts("n", {value})), schema, {}, "b.csv"); });
  EXPECT_THAT(error.message(), HasSubstr("'ääääääääääääääääääääääääääääää…'"));
}

TEST(Conform, TakesWhatIsWantedInTheSchemasOrder) {
  const Schema schema{
      {{.name = "a", .type = ColumnType::kNumber}, {.name = "b", .type = ColumnType::kText}, {.name = "c", .type = ColumnType::kCategory}}};
  Table raw{.rows = 1};
  raw.columns = {Texts("c", {"x"}), Texts("other", {"?"}), Texts("a", {"1"})};
  const Table typed = Conform(raw, schema, {"c", "a"}, "b.csv");
  EXPECT_EQ(typed.Names(), (std::vector<std::string>{"a", "c"}));
}

TEST(Conform, TypedColumnsToEveryType) {
  const auto conform = [](Column raw, ColumnType type) {
    return Conform(OneColumn(std::move(raw)), Schema{{{.name = "x", .type = type}}}, {}, "b").columns[0];
  };
  const Column integer{.name = "x", .type = ColumnType::kInteger, .numbers = {1, 0, kMissing}};
  EXPECT_EQ(conform(integer, ColumnType::kNumber).numbers[0], 1.0);
  EXPECT_EQ(conform(integer, ColumnType::kCategory).TextAt(0), "1");
  EXPECT_TRUE(conform(integer, ColumnType::kCategory).missing(2));
  EXPECT_EQ(conform(integer, ColumnType::kText).TextAt(1), "0");
  EXPECT_EQ(conform(integer, ColumnType::kBoolean).TextAt(0), "true");
  EXPECT_EQ(ErrorOf([&] { conform(integer, ColumnType::kTimestamp); }).kind(), ErrorKind::kInput);
  const Column number{.name = "x", .type = ColumnType::kNumber, .numbers = {1.5}};
  EXPECT_EQ(conform(number, ColumnType::kCategory).TextAt(0), "1.5");
  EXPECT_EQ(ErrorOf([&] { conform(number, ColumnType::kBoolean); }).kind(), ErrorKind::kInput);
  const Column time{.name = "x", .type = ColumnType::kTimestamp, .numbers = {0}};
  EXPECT_EQ(conform(time, ColumnType::kCategory).TextAt(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(ErrorOf([&] { conform(time, ColumnType::kNumber); }).kind(), ErrorKind::kInput);
  const Column category{.name = "x", .type = ColumnType::kCategory, .codes = {1, 0, -1}, .dictionary = {"5", "7"}};
  EXPECT_EQ(conform(category, ColumnType::kNumber).numbers[0], 7.0);
  EXPECT_TRUE(conform(category, ColumnType::kNumber).missing(2));
  EXPECT_EQ(conform(category, ColumnType::kCategory).TextAt(1), "5");
  EXPECT_EQ(conform(Texts("x", {"1.5"}), ColumnType::kNumber).numbers[0], 1.5);
}

TEST(Schema, JsonReadsBack) {
  const Schema schema{
      {{.name = "a", .type = ColumnType::kTimestamp, .kind = "timestamp", .missing_tokens = {"never"}, .date_order = DateOrder::kDayFirst},
       {.name = "b", .type = ColumnType::kBoolean, .kind = "boolean", .percent_or_currency = true, .boolean_words = {"n", "y"}}}};
  const Schema read = Schema::FromJson(ParseJson(ToText(schema.ToJson()), "the schema"));
  EXPECT_EQ(ToText(read.ToJson()), ToText(schema.ToJson()));
  EXPECT_EQ(read.columns[0].date_order, DateOrder::kDayFirst);
  ASSERT_NE(read.Find("b"), nullptr);
  EXPECT_EQ(read.Find("b")->boolean_words, (std::vector<std::string>{"n", "y"}));
}

TEST(Schema, DamagedJsonIsRefused) {
  const std::string good = ToText(Schema{{{.name = "a", .kind = "number"}}}.ToJson());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"\"number\"", "\"numeral\""},
                                                                                 {"\"iso\"", "\"martian\""},
                                                                                 {"\"name\"", "\"nome\""},
                                                                                 {"\"boolean_words\": []", "\"boolean_words\": [1, 2]"},
                                                                                 {"\"missing_tokens\": []", "\"missing_tokens\": 1"},
                                                                                 {"false", "0"}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_EQ(ErrorOf([&] { Schema::FromJson(ParseJson(bad, "the schema")); }).kind(), ErrorKind::kDamaged) << bad;
  }
}

// Target and its kind as ../shared/data/index.tsv says.
TEST(InferSchema, RealTables) {
  const std::string folder = std::string(EVERLEARN_SOURCE_DIR) + "/../shared/data/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "../shared/data is not there";
  const std::vector<std::tuple<std::string, std::string, TaskKind, size_t>> cases = {
      {"tabular/adult", "income", TaskKind::kBinary, 2},
      {"tabular/credit_g", "class", TaskKind::kBinary, 2},
      {"tabular/mammography", "y", TaskKind::kBinary, 2},
      {"tabular/letter", "class", TaskKind::kMulticlass, 26},
      {"tabular/connect_4", "target", TaskKind::kMulticlass, 3},
      {"tabular/wine_quality", "quality", TaskKind::kRegression, 0},
      {"tabular/pol", "foo", TaskKind::kRegression, 0},
      {"tabular/cpu_act", "usr", TaskKind::kRegression, 0},
      {"tabular/bike_hour", "count", TaskKind::kRegression, 0},
      {"tabular/insurance_charges", "charges", TaskKind::kRegression, 0},
      {"streams/powersupply", "class", TaskKind::kMulticlass, 24},
      {"streams/outdoor", "target", TaskKind::kMulticlass, 40},
      {"streams/insects_gradual", "class", TaskKind::kMulticlass, 6},
      {"streams/elec2", "class", TaskKind::kBinary, 2},
  };
  for (const auto& [name, target, kind, labels] : cases) {
    const Table raw = ReadTable(folder + name + ".csv.gz", {});
    const Schema schema = InferSchema(raw, {.source = name}, nullptr);
    const Task task = MakeTask(raw, schema, {.target = target}, name);
    EXPECT_EQ(TaskKindName(task.kind), TaskKindName(kind)) << name;
    EXPECT_EQ(task.labels.size(), labels) << name;
    for (const ColumnSchema& column : schema.columns) EXPECT_NE(column.kind, "id") << name << ": " << column.name;
  }
}

}  // namespace
}  // namespace everlearn
