// Tests of the parser of fields.
#include "data/field.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "base/timestamp.h"

namespace everlearn {
namespace {

TEST(Field, PlainNumbers) {
  EXPECT_EQ(ParsePlainNumber("42"), 42.0);
  EXPECT_EQ(ParsePlainNumber("-0.5e3"), -500.0);
  EXPECT_EQ(ParsePlainNumber(" 7\t"), 7.0);
  EXPECT_EQ(ParsePlainNumber("+1.5"), 1.5);
  EXPECT_EQ(ParsePlainNumber(".5"), 0.5);
  EXPECT_EQ(ParsePlainNumber("1e308"), 1e308);
  EXPECT_EQ(ParsePlainNumber("1e-999"), 0.0);
  for (const char* missing : {"1e999", "-1e999", "1e99999", "inf", "-Infinity", "nan"}) {
    const auto value = ParsePlainNumber(missing);
    ASSERT_TRUE(value.has_value()) << missing;
    EXPECT_TRUE(std::isnan(*value)) << missing;
  }
  for (const char* wrong : {"", " ", "abc", "1,5", "12a", "0x10", "1 2", "+-1", "++1", "--1", "e5"})
    EXPECT_FALSE(ParsePlainNumber(wrong).has_value()) << wrong;
}

RC_GTEST_PROP(Field, ShortDecimalsRoundAsTheStandardLibraryDoes, ()) {
  const auto digits = *rc::gen::inRange<int64_t>(-999'999'999'999'999, 1'000'000'000'000'000);
  std::string text = std::to_string(digits / *rc::gen::element<int64_t>(1, 1000, 1'000'000'000'000));
  const auto place = *rc::gen::inRange<size_t>(text[0] == '-' ? 1 : 0, text.size() + 1);
  text.insert(place, ".");
  const auto value = ParseShortDecimal(text);
  if (text == "." || text == "-.") return;
  RC_ASSERT(value.has_value());
  RC_ASSERT(*value == std::strtod(text.c_str(), nullptr));
}

TEST(Field, DecoratedNumbers) {
  EXPECT_EQ(ParseDecoratedNumber("12.5%"), 12.5);
  EXPECT_EQ(ParseDecoratedNumber("12 %"), 12.0);
  EXPECT_EQ(ParseDecoratedNumber("$1,200.50"), 1200.5);
  EXPECT_EQ(ParseDecoratedNumber("-€3"), -3.0);
  EXPECT_EQ(ParseDecoratedNumber("$-3"), -3.0);
  EXPECT_EQ(ParseDecoratedNumber("3 EUR"), 3.0);
  EXPECT_EQ(ParseDecoratedNumber("1,234,567"), 1234567.0);
  EXPECT_EQ(ParseDecoratedNumber("(1,200)"), -1200.0);
  for (const char* wrong : {"1,5", "1,2345", ",123", "1234,567", "$", "%", "a%", "1.5,000", "- -3", "nan%", "$inf", "12-3"})
    EXPECT_FALSE(ParseDecoratedNumber(wrong).has_value()) << wrong;
}

TEST(Field, Dates) {
  const auto iso = [](const char* text) { return *ParseTimestamp(text); };
  EXPECT_EQ(ParseDate("2013-02-01", DateOrder::kIso), iso("2013-02-01"));
  EXPECT_EQ(ParseDate(" 2013/02/01 05:15:00 ", DateOrder::kIso), iso("2013-02-01T05:15:00Z"));
  EXPECT_EQ(ParseDate("2/1/2013", DateOrder::kMonthFirst), iso("2013-02-01"));
  EXPECT_EQ(ParseDate("2/1/2013", DateOrder::kDayFirst), iso("2013-01-02"));
  EXPECT_EQ(ParseDate("31.12.2013 23:59:30.5", DateOrder::kDayFirst), iso("2013-12-31T23:59:30.5Z"));
  EXPECT_EQ(ParseDate("12/31/2013 1:05 PM", DateOrder::kMonthFirst), iso("2013-12-31T13:05:00Z"));
  EXPECT_EQ(ParseDate("12/31/2013 12:05am", DateOrder::kMonthFirst), iso("2013-12-31T00:05:00Z"));
  for (const char* wrong :
       {"31/12/2013", "2/30/2013", "2/1/13", "2/1-2013", "2/1/2013 25:00", "2/1/2013x", "2/1/2013 13:00 PM", "2013-02-01", ""})
    EXPECT_FALSE(ParseDate(wrong, DateOrder::kMonthFirst).has_value()) << wrong;
}

TEST(Field, MissingTokens) {
  for (const char* missing : {"", "  ", "NA", "n/a", "NaN", "nan", "null", "NULL", "?", " ? ", "<NA>", "#N/A"})
    EXPECT_TRUE(IsMissingToken(missing)) << missing;
  for (const char* present : {"0", "none", "None", "-", "Nancy", "unknown"}) EXPECT_FALSE(IsMissingToken(present)) << present;
}

TEST(Field, ValuesByColumn) {
  const ColumnSchema number{.name = "n", .type = ColumnType::kNumber, .missing_tokens = {"unknown"}};
  const FieldParser parser(number);
  EXPECT_EQ(parser.Value("$5"), 5.0);
  EXPECT_TRUE(std::isnan(*parser.Value("unknown")));
  EXPECT_TRUE(std::isnan(*parser.Value("None")));
  EXPECT_TRUE(std::isnan(*parser.Value("?")));
  EXPECT_FALSE(parser.Value("five").has_value());
  const ColumnSchema flag{.name = "b", .type = ColumnType::kBoolean, .boolean_words = {"n", "y"}};
  EXPECT_EQ(FieldParser(flag).Value("Y"), 1.0);
  EXPECT_EQ(FieldParser(flag).Value("false"), 0.0);
  EXPECT_FALSE(FieldParser(flag).Value("maybe").has_value());
}

}  // namespace
}  // namespace everlearn
