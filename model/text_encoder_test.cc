// Tests of texts as numbers: n-grams, lower case, what is no character, vocabulary, buckets, files written by a stranger.
#include "model/text_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "data/field.h"

namespace everlearn {
namespace {

using testing::ElementsAre;

std::vector<std::string> GramsOf(std::string_view text, GramKind kind) {
  GramReader reader;
  std::vector<std::string> grams;
  for (const Gram& gram : reader.Read(text))
    if (gram.kind == kind) grams.emplace_back(reader.Text(gram));
  return grams;
}
std::vector<std::string> Words(std::string_view text) { return GramsOf(text, GramKind::kWords); }
std::vector<std::string> Characters(std::string_view text) { return GramsOf(text, GramKind::kCharacters); }

TEST(TextGrams, WordsAndPairsOfWords) {
  EXPECT_THAT(Words("Don't stop!"), ElementsAre("don't", "don't stop", "stop", "stop !", "!"));
  EXPECT_THAT(Words("  a\t(b)-c  "), ElementsAre("a", "a b", "b", "b c", "c"));
  EXPECT_THAT(Words("'dogs' "), ElementsAre("dogs"));
  EXPECT_THAT(Words(""), ElementsAre());
  EXPECT_THAT(Words(" .,; "), ElementsAre());
  EXPECT_THAT(Words("20% \u20ac5"), ElementsAre("20", "20 %", "%", "% \u20ac", "\u20ac", "\u20ac 5", "5"));
}

TEST(TextGrams, LettersOfOtherScripts) {
  EXPECT_THAT(Words("\u00c9COLE"), ElementsAre("\u00e9cole"));                           // É
  EXPECT_THAT(Words("\u041f\u0420\u0418"), ElementsAre("\u043f\u0440\u0438"));           // ПРИ
  EXPECT_THAT(Words("\u039f\u03a7\u0399"), ElementsAre("\u03bf\u03c7\u03b9"));           // ΟΧΙ
  EXPECT_THAT(Words("\u0141\u00f3d\u017a"), ElementsAre("\u0142\u00f3d\u017a"));         // Łódź
  EXPECT_THAT(Words("\u597d\u5403"), ElementsAre("\u597d", "\u597d \u5403", "\u5403"));  // 好吃
  EXPECT_THAT(Words("ok\U0001F600"), ElementsAre("ok", "ok \U0001F600", "\U0001F600"));
}

TEST(TextGrams, CharactersStayWithinAWord) {
  EXPECT_THAT(Characters("Ab cd"), ElementsAre(" ab", " ab ", "ab ", " cd", " cd ", "cd "));
  EXPECT_THAT(Characters("abcd"), ElementsAre(" ab", " abc", " abcd", "abc", "abcd", "abcd ", "bcd", "bcd ", "cd "));
  EXPECT_THAT(Characters("\u00c9a"), ElementsAre(" \u00e9a", " \u00e9a ", "\u00e9a "));
  EXPECT_THAT(Characters(" a "), ElementsAre(" a "));
  EXPECT_THAT(Characters(""), ElementsAre());
}

TEST(TextGrams, WhatIsNoCharacterIsABlank) {
  EXPECT_THAT(Words("a\xff"
                    "b"),
              ElementsAre("a", "a b", "b"));
  EXPECT_THAT(Words("a\xe2\x82"), ElementsAre("a"));  // cut off
  EXPECT_THAT(Words("a\xc0\x80"
                    "b"),
              ElementsAre("a", "a b", "b"));                           // overlong
  EXPECT_THAT(Words("a\xed\xa0\x80z"), ElementsAre("a", "a z", "z"));  // half of a pair
}

TEST(TextGrams, AnyBytesGiveUtf8) {
  Random random(5);
  GramReader reader;
  for (int k = 0; k < 3000; ++k) {
    std::string bytes;
    for (uint64_t i = random.Below(30); i > 0; --i) bytes.push_back(static_cast<char>(random.Below(4) == 0 ? 'a' : random.Below(256)));
    for (const Gram& gram : reader.Read(bytes)) {
      ASSERT_TRUE(IsUtf8(reader.Text(gram)));
      ASSERT_FALSE(reader.Text(gram).empty());
    }
  }
}

// What model files of today rely on: XXH64 of the bytes, seeded with the kind; values of the Python package xxhash 4.1.0.
TEST(TextGrams, HashesAreThoseOfTheFormat) {
  EXPECT_EQ(GramHash(GramKind::kWords, "good"), 0x52e03c50fde051b7ULL);
  EXPECT_EQ(GramHash(GramKind::kCharacters, "good"), 0x27dec24b2a1140fbULL);
}

TextArray Texts(std::initializer_list<const char*> texts, int times = 1) {
  TextArray array;
  for (int k = 0; k < times; ++k)
    for (const char* text : texts) text == nullptr ? array.AppendMissing() : array.Append(text);
  return array;
}

std::vector<double> Encoded(const TextEncoder& encoder, std::string_view text, bool missing = false) {
  GramReader reader;
  std::vector<double> out(encoder.size());
  encoder.Encode(text, missing, &reader, out.data());
  return out;
}

size_t Number(const TextEncoder& encoder, const std::string& name) {
  for (size_t j = 0; j < encoder.size(); ++j)
    if (encoder.Name(j) == name) return j;
  return SIZE_MAX;
}

TEST(TextEncoder, KnowsWhatManyTextsHave) {
  const TextEncoder encoder = TextEncoder::Build(Texts({"good food", "bad food", "good luck", nullptr}, 50), 200);
  for (const char* known : {"word good", "word bad", "word good luck", "characters goo", "length"})
    EXPECT_NE(Number(encoder, known), SIZE_MAX) << known;
  for (const char* unknown : {"word food luck", "word ", "bucket 0"}) EXPECT_EQ(Number(encoder, unknown), SIZE_MAX) << unknown;
  const std::vector<double> x = Encoded(encoder, "Good, good FOOD");
  EXPECT_DOUBLE_EQ(x[0], std::log1p(3));
  EXPECT_DOUBLE_EQ(x[Number(encoder, "word good")], std::log1p(2) / std::sqrt(5));
  EXPECT_DOUBLE_EQ(x[Number(encoder, "word good food")], std::log1p(1) / std::sqrt(5));
  EXPECT_EQ(x[Number(encoder, "word bad")], 0);
  const std::vector<double> nothing = Encoded(encoder, "", true);
  EXPECT_TRUE(std::isnan(nothing[0]));
  EXPECT_EQ(std::count(nothing.begin() + 1, nothing.end(), 0.0), static_cast<long>(encoder.size() - 1));
}

TEST(TextEncoder, TakesTheMostFrequentWhereRoomIsSmall) {
  TextArray texts;
  for (int i = 0; i < 200; ++i) texts.Append("w" + std::to_string(i % 40) + (i % 2 == 0 ? " even" : " odd"));
  const TextEncoder encoder = TextEncoder::Build(texts, 12);
  EXPECT_LE(encoder.size(), 12u);
  EXPECT_NE(Number(encoder, "word even"), SIZE_MAX);
  EXPECT_NE(Number(encoder, "word odd"), SIZE_MAX);
}

TEST(TextEncoder, WithoutTextsWordsFallIntoBuckets) {
  const TextEncoder encoder = TextEncoder::Build(Texts({nullptr}), 128);
  EXPECT_EQ(encoder.size(), 128u);
  EXPECT_EQ(encoder.Name(1), "bucket 0");
  const std::vector<double> a = Encoded(encoder, "lovely room"), b = Encoded(encoder, "awful room");
  EXPECT_NE(a, b);
  EXPECT_EQ(std::count_if(a.begin() + 1, a.end(), [](double x) { return x > 0; }), 3);
}

TEST(TextEncoder, SavesAndLoads) {
  const TextEncoder encoder = TextEncoder::Build(Texts({"good food", "bad food"}, 60), 64);
  ArrayFileWriter writer;
  const Json json = encoder.Save("t", &writer);
  const auto file = ArrayFile::Parse(writer.Bytes(), "x");
  const TextEncoder loaded = TextEncoder::Load(json, "t", *file);
  for (const char* text : {"good bad", "", "food food!"}) EXPECT_EQ(Encoded(loaded, text), Encoded(encoder, text));
  for (const char* wrong : {R"({})", R"({"buckets": -1})", R"({"buckets": 4000000000})", R"({"buckets": "x"})"})
    EXPECT_THROW(TextEncoder::Load(ParseJson(wrong, "x"), "t", *file), Error) << wrong;
  ArrayFileWriter twice;
  twice.AddTexts("t.words", std::vector<std::string>{"a", "a"});
  twice.AddTexts("t.characters", std::vector<std::string>{});
  EXPECT_THROW(TextEncoder::Load(json, "t", *ArrayFile::Parse(twice.Bytes(), "x")), Error);
  EXPECT_THROW(TextEncoder::Load(json, "u", *file), Error);
}

}  // namespace
}  // namespace everlearn
