// KSWIN: the row of its alarm where the distance is known, and changes that leave the mean as it was.
#include <gtest/gtest.h>

#include "base/random.h"
#include "drift/drift_detector.h"

namespace everlearn {
namespace {

// k new values among the newest 30 lie at distance k/30 from zeros; √(−ln 0.0001 / 30) = 0.55409, so that 17 of them are needed.
TEST(Kswin, RaisesTheAlarmAtTheDistanceOfThePaper) {
  const auto detector = Detectors().Get("kswin").make();
  for (int i = 0; i < 150; ++i) ASSERT_FALSE(detector->Add(0));
  for (int k = 1; k < 17; ++k) ASSERT_FALSE(detector->Add(1)) << k;
  EXPECT_TRUE(detector->Add(1));
}

TEST(Kswin, NoticesAChangeOfSpread) {
  Random random(1);
  const auto detector = Detectors().Get("kswin").make();
  for (int i = 0; i < 300; ++i) ASSERT_FALSE(detector->Add(0.1 * random.Normal()));
  bool alarm = false;
  for (int i = 0; i < 60 && !alarm; ++i) alarm = detector->Add(10 * random.Normal());
  EXPECT_TRUE(alarm);
}

}  // namespace
}  // namespace everlearn
