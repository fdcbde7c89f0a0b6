// Bins of a window: codes agree with the edges, few values have a bin each, and states are checked.
#include "learners/window_bins.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(WindowBins, CodesAgreeWithTheEdges) {
  WindowBins bins({{false, false, true}, 2});
  Random random(1);
  std::vector<double> rows;
  for (int i = 0; i < 1000; ++i)
    rows.insert(rows.end(), {random.Normal(), i % 9 == 0 ? kMissing : static_cast<double>(random.Below(3)), static_cast<double>(i % 80)});
  bins.Learn(rows.data(), 1000);
  EXPECT_EQ(bins.features()[0].bins, 33u);  // 32 and the missing ones
  EXPECT_EQ(bins.features()[1].bins, 4u);
  for (int i = 0; i < 1000; ++i) {
    uint8_t codes[3];
    bins.Code(&rows[i * 3], codes);
    const double x = rows[i * 3];
    ASSERT_TRUE(codes[0] == 31 || x <= bins.Edge(0, codes[0]));
    ASSERT_TRUE(codes[0] == 0 || x > bins.Edge(0, codes[0] - 1u));
    ASSERT_EQ(codes[1], i % 9 == 0 ? 3 : static_cast<int>(rows[i * 3 + 1]));
    ASSERT_EQ(codes[2], std::min(i % 80, 63));
  }
}

TEST(WindowBins, QuantilesHoldAsManyRows) {
  WindowBins bins({{false}, 2});
  std::vector<double> rows(3200);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<double>(i * i);
  bins.Learn(rows.data(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    uint8_t code;
    bins.Code(&rows[i], &code);
    ASSERT_EQ(code, i / 100);
  }
}

TEST(WindowBins, RefusesEdgesThatAreNone) {
  ByteWriter out;
  out.PutAll(std::vector<double>{2, 1});
  WindowBins bins({{false}, 2});
  ByteReader in(out.bytes());
  EXPECT_THROW(bins.Load(&in), Error);
}

}  // namespace
}  // namespace everlearn
