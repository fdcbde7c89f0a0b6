// Tests of XXH64 against the reference implementation (python-xxhash 3, xxhash.xxh64(bytes, seed)).
#include "base/hash.h"

#include <gtest/gtest.h>

namespace everlearn {
namespace {

TEST(Hash, EqualsTheReference) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<char>((i * 7 + 3) % 256));
  struct Case {
    size_t size;
    uint64_t plain, seeded;  // seed 0 and 2654435761
  };
  constexpr Case kCases[] = {{0, 0xef46db3751d8e999, 0xac75fda2929b17ef},   {1, 0x1f25c8d0bc1f4bb6, 0x79cf94f5ace37fe1},
                             {3, 0x31d2363f52e564c9, 0x96d2a5e583ddd738},   {4, 0x9bb64b7d66ee9fda, 0x4a862fbb4b73776e},
                             {5, 0xc7608efddb7051fe, 0xf6ca02179471d4a8},   {8, 0xdab99d95c6f90092, 0xc6e75e2cbd8e07ee},
                             {12, 0xd52e407833af5133, 0x79b0b158fab0e5d6},  {31, 0xa2aa5f33cc4a6119, 0x381822f33376d6b6},
                             {32, 0x23c3c17ef790fd97, 0x9abd315470ac276a},  {33, 0x50a7cfc7ba588784, 0x72cdd3262f467933},
                             {63, 0x5e3e54b431c7493c, 0x634da7d265979e61},  {64, 0x0eb64b3ef6eeb01f, 0xbcb3847d70525180},
                             {100, 0xa61f8d4c170fe531, 0x86f549ede5ac87e2}, {1000, 0x5f235fa033f1a3fb, 0x83080310ee83cc20}};
  for (const Case& expected : kCases) {
    const std::string_view piece = std::string_view(bytes).substr(0, expected.size);
    EXPECT_EQ(HashBytes(piece), expected.plain) << expected.size;
    EXPECT_EQ(HashBytes(piece, 2654435761), expected.seeded) << expected.size;
  }
}

TEST(Hash, AsText) { EXPECT_EQ(HashText(0x0eb64b3ef6eeb01f), "0eb64b3ef6eeb01f"); }

}  // namespace
}  // namespace everlearn
