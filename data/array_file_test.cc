// Tests of the safetensors format: what is written is read back, and what is not well-formed is refused with the reason.
#include "data/array_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace everlearn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string FileOf(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
}

std::string Refusal(std::string bytes) {
  try {
    ArrayFile::Parse(std::move(bytes), "x.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    return error.message();
  }
  return "accepted";
}

std::string One(const std::string& entry, size_t data_bytes) {
  return FileOf("{\"a\": " + entry + "}     ", std::string(data_bytes, '\1'));
}

ArrayFileWriter Sample() {
  ArrayFileWriter writer;
  writer.SetText("note", "grüße \"quoted\": \\");
  writer.Add("bytes", std::span<const uint8_t>(std::vector<uint8_t>{1, 2, 3}));
  writer.Add("matrix", std::span<const double>(std::vector<double>{1, 2, 3, 4, 5, 6}), {2, 3});
  writer.Add("codes", std::span<const uint16_t>(std::vector<uint16_t>{7}));
  writer.Add("nothing", std::span<const int64_t>());
  writer.AddTexts("words", std::vector<std::string>{"a", "", "ccc"});
  return writer;
}

TEST(ArrayFile, ReadsWhatItWrote) {
  const auto file = ArrayFile::Parse(Sample().Bytes(), "sample");
  EXPECT_THAT(file->Get<double>("matrix"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(file->arrays().at("matrix").shape, ElementsAre(2u, 3u));
  EXPECT_THAT(file->Get<uint8_t>("bytes"), ElementsAre(1, 2, 3));
  EXPECT_THAT(file->Get<uint16_t>("codes"), ElementsAre(7));
  EXPECT_TRUE(file->Get<int64_t>("nothing").empty());
  EXPECT_THAT(file->GetTexts("words"), ElementsAre("a", "", "ccc"));
  EXPECT_EQ(file->Text("note"), "grüße \"quoted\": \\");
  EXPECT_TRUE(file->ChecksumMatches());
  EXPECT_THROW(file->Get<float>("matrix"), Error);
  EXPECT_THROW(file->Get<double>("absent"), Error);
  EXPECT_THROW(file->Text("absent"), Error);
}

TEST(ArrayFile, ChecksumCoversTextsAndArrays) {
  const std::string bytes = Sample().Bytes();
  for (const std::string& where : {std::string("gr"), std::string("\x03")}) {
    std::string changed = bytes;
    const size_t at = where == "gr" ? changed.find(where) : changed.size() - 1;
    changed[at] = static_cast<char>(changed[at] ^ 2);
    EXPECT_FALSE(ArrayFile::Parse(changed, "changed")->ChecksumMatches());
  }
}

// python: safetensors.numpy.save({"a": np.array([[1.5, -2.0], [3.25, 0.0]]), "b": np.array([1, 2, 300], np.uint16)}, metadata={"who":
// "reference"})
TEST(ArrayFile, ReadsTheReferenceImplementation) {
  const std::string header = R"({"__metadata__":{"who":"reference"},"a":{"dtype":"F64","shape":[2,2],"data_offsets":[0,32]},)"
                             R"("b":{"dtype":"U16","shape":[3],"data_offsets":[32,38]}}     )";
  constexpr char kData[] = "\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x0a\x40\0\0\0\0\0\0\0\0\x01\0\x02\0\x2c\x01";
  const auto file = ArrayFile::Parse(FileOf(header, std::string(kData, sizeof kData - 1)), "reference");
  EXPECT_THAT(file->Get<double>("a"), ElementsAre(1.5, -2.0, 3.25, 0.0));
  EXPECT_THAT(file->Get<uint16_t>("b"), ElementsAre(1, 2, 300));
  EXPECT_EQ(file->Text("who"), "reference");
  EXPECT_FALSE(file->ChecksumMatches());
}

TEST(ArrayFile, AcceptsAWellFormedArray) { EXPECT_EQ(Refusal(One(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})", 4)), "accepted"); }

TEST(ArrayFile, RefusesWhatIsNoArrayFile) {
  EXPECT_EQ(Refusal("just,a,csv\n1,2,3\n"), "x.safetensors is not a model file");
  EXPECT_EQ(Refusal(FileOf("[]      ", "")), "x.safetensors is not a model file");
  EXPECT_EQ(Refusal(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)), "x.safetensors is not a model file");
  std::string large = FileOf("{}", "");
  const uint64_t length = 100'000'001;
  std::memcpy(large.data(), &length, sizeof length);
  EXPECT_EQ(Refusal(large), "x.safetensors is not a model file");
}

TEST(ArrayFile, RefusesTruncation) {
  const std::string bytes = Sample().Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_EQ(Refusal(bytes.substr(0, size)), "x.safetensors is truncated") << size;
  EXPECT_THAT(Refusal(bytes + "x"), HasSubstr("bytes follow"));
}

TEST(ArrayFile, RefusesHostileHeaders) {
  EXPECT_THAT(Refusal(FileOf("{\"a\": ", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(Refusal(FileOf("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(Refusal(FileOf(R"({"__metadata__": {"n": 1}})", "")), HasSubstr("more than texts"));
  EXPECT_THAT(Refusal(FileOf(R"({"__metadata__": {"n": "1", "n": "1"}})", "")), HasSubstr("stands twice"));
  EXPECT_THAT(Refusal(One("7", 0)), HasSubstr("'dtype'"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"U128","shape":[1],"data_offsets":[0,16]})", 16)), HasSubstr("unknown type"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"U8","shape":[5],"data_offsets":[0,4]})", 4)), HasSubstr("do not fit"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0)), HasSubstr("do not fit"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]})", 0)), HasSubstr("do not fit"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"U8","shape":[4],"data_offsets":[4,0]})", 4)), HasSubstr("do not fit"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"U8","shape":[-4],"data_offsets":[0,4]})", 4)), HasSubstr("whole number"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"U8","shape":[4],"data_offsets":[4,8]})", 8)), HasSubstr("hole"));
  EXPECT_THAT(Refusal(One(R"({"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]})", 4)),
              HasSubstr("outside"));
  EXPECT_THAT(Refusal(FileOf(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                             "123456")),
              HasSubstr("overlap"));
  EXPECT_THAT(Refusal(FileOf(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}} )", "12345678")), HasSubstr("not aligned"));
}

TEST(ArrayFile, RefusesTextsWithWrongOffsets) {
  ArrayFileWriter writer;
  writer.Add("words.bytes", std::span<const uint8_t>(std::vector<uint8_t>{'a', 'b'}));
  writer.Add("words.offsets", std::span<const uint64_t>(std::vector<uint64_t>{0, 5, 2}));
  EXPECT_THROW(ArrayFile::Parse(writer.Bytes(), "x")->GetTexts("words"), Error);
}

TEST(ArrayFile, SavesAtomically) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "array_file_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "m.safetensors").string();
  Sample().Save(path);
  Sample().Save(path);
  EXPECT_THAT(ArrayFile::Load(path)->Get<uint16_t>("codes"), ElementsAre(7));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  try {
    Sample().Save((folder / "absent" / "m").string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.message(), HasSubstr("absent/m"));
  }
  EXPECT_THROW(ArrayFile::Load((folder / "none").string()), Error);
  EXPECT_THROW(ArrayFile::Load(folder.string()), Error);
  EXPECT_THROW(Sample().Save(folder.string()), Error);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace everlearn
