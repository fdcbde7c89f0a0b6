// Page–Hinkley against a closed form: after n zeros and k ones, the mean after j ones is j / (n + j).
#include <gtest/gtest.h>

#include "drift/drift_detector.h"

namespace everlearn {
namespace {

TEST(PageHinkley, RaisesTheAlarmInTheRowOfTheClosedForm) {
  const double zeros = 1000;
  const auto detector = Detectors().Get("page_hinkley").make();
  for (int i = 0; i < zeros; ++i) ASSERT_FALSE(detector->Add(0));
  double above = 0;  // of the sum over its least, which is the sum of the zeros
  int expected = 0;
  while (above <= 50) {
    ++expected;
    above += 1 - expected / (zeros + expected) - 0.005;
  }
  for (int j = 1; j < expected; ++j) ASSERT_FALSE(detector->Add(1)) << j;
  EXPECT_TRUE(detector->Add(1));
  EXPECT_EQ(expected, 52);
}

TEST(PageHinkley, AFallIsNoAlarm) {
  const auto detector = Detectors().Get("page_hinkley").make();
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(detector->Add(i < 1000 ? 1 : 0));
}

}  // namespace
}  // namespace everlearn
