// Tests of sizes as text.
#include "base/byte_size.h"

#include <gtest/gtest.h>

namespace everlearn {
namespace {

TEST(ParseByteSize, ReadsUnits) {
  EXPECT_EQ(ParseByteSize("4096"), 4096U);
  EXPECT_EQ(ParseByteSize("500MB"), 500'000'000U);
  EXPECT_EQ(ParseByteSize("2gb"), 2'000'000'000U);
  EXPECT_EQ(ParseByteSize("1.5 GiB"), 1'610'612'736U);
  EXPECT_EQ(ParseByteSize("64K"), 64'000U);
  for (const char* wrong : {"", "GB", "-1GB", "0", "2XB", "2GBs", "1e30TB", "nan"}) EXPECT_EQ(ParseByteSize(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace everlearn
