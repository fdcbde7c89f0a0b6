// DDM raises its alarm in the very row where the paper's inequality, written down anew here, first holds.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "drift/drift_detector.h"

namespace everlearn {
namespace {

struct Level {
  bool warning = false, alarm = false;
};

// Of the last of the errors since the last alarm, from all of them.
Level LevelOf(const std::vector<int>& errors) {
  double least = 10, least_rate = 0, least_deviation = 0, sum = 0, rate = 0, deviation = 0;
  for (size_t n = 1; n <= errors.size(); ++n) {
    sum += errors[n - 1];
    rate = sum / static_cast<double>(n);
    deviation = std::sqrt(rate * (1 - rate) / static_cast<double>(n));
    if (n < 30 || sum == 0) continue;
    if (rate + deviation <= least) least = rate + deviation, least_rate = rate, least_deviation = deviation;
  }
  if (least == 10) return {};
  return {rate + deviation > least_rate + 2 * least_deviation, rate + deviation > least_rate + 3 * least_deviation};
}

TEST(Ddm, EqualsItsInequality) {
  Random random(1);
  const auto detector = Detectors().Get("ddm").make();
  std::vector<int> errors;
  int alarms = 0, warnings = 0;
  for (int i = 0; i < 3000; ++i) {
    const int error = random.Uniform() < (i / 600 % 2 == 0 ? 0.1 : 0.4) ? 1 : 0;
    errors.push_back(error);
    const Level expected = LevelOf(errors);
    ASSERT_EQ(detector->Add(error), expected.alarm) << "row " << i;
    if (expected.alarm) {
      ++alarms;
      errors.clear();
    } else {
      ASSERT_EQ(detector->warning(), expected.warning) << "row " << i;
      warnings += expected.warning ? 1 : 0;
    }
  }
  EXPECT_GE(alarms, 2);
  EXPECT_GT(warnings, 0);
}

TEST(Ddm, AFirstErrorIsNoAlarm) {
  const auto detector = Detectors().Get("ddm").make();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(detector->Add(i == 500 ? 1 : 0));
}

}  // namespace
}  // namespace everlearn
