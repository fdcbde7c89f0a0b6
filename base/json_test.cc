// Tests of JSON: text and back without losing a bit, hostile input.
#include "base/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace everlearn {
namespace {

TEST(Json, EveryFiniteDoubleReadsBackEqual) {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::bit_cast<double>(random.Next());
    if (!std::isfinite(value)) continue;
    const std::string text = ToText(Json(value));
    const Json back = ParseJson("[" + text + "]", "test").as_array()[0];
    ASSERT_EQ(ToText(back), text);
    if (back.is_double()) {
      ASSERT_EQ(std::bit_cast<uint64_t>(back.get_double()), std::bit_cast<uint64_t>(value)) << text;
    }
  }
}

TEST(Json, EdgesOfNumbers) {
  EXPECT_TRUE(std::signbit(ParseJson("-0", "test").as_double()));
  EXPECT_EQ(ParseJson("9223372036854775807", "test").as_int64(), INT64_MAX);
  EXPECT_EQ(ParseJson("18446744073709551615", "test").as_uint64(), UINT64_MAX);
  EXPECT_EQ(NumberField(ParseJson("{\"a\": 0.92092372288313515}", "test"), "a"), 0.92092372288313515);
  EXPECT_EQ(ToText(Json(std::numeric_limits<double>::quiet_NaN())), "null");
  EXPECT_EQ(ToText(Json(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(NumberText(0.1), "0.1");
}

TEST(Json, ObjectsKeepTheirOrderAndTheirTexts) {
  const std::string text = R"({"b": [1, 2.5, "x\"y", null, true], "a": {"ü": {}}})";
  EXPECT_EQ(ToText(ParseJson(text, "test")), text);
  EXPECT_EQ(ToText(ParseJson("[1,{}]", "test"), true), "[\n  1,\n  {}\n]");
}

TEST(Json, DamageIsNamed) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "nul", "1 2", "\"\xff\"", "01"}) {
    try {
      ParseJson(text, "the file x");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(error.message().find("the file x"), std::string::npos);
    }
  }
  EXPECT_THROW(ParseJson(std::string(100, '[') + std::string(100, ']'), "test"), Error);
}

TEST(Json, MissingOrWrongFieldsAreNamed) {
  const Json object = ParseJson("{\"a\": \"text\"}", "test");
  EXPECT_EQ(TextField(object, "a"), "text");
  EXPECT_THROW(TextField(object, "b"), Error);
  EXPECT_THROW(NumberField(object, "a"), Error);
  EXPECT_THROW(IntegerField(object, "a"), Error);
  EXPECT_THROW(ArrayField(object, "a"), Error);
}

}  // namespace
}  // namespace everlearn
