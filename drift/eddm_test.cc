// EDDM against mean and deviation of all distances, computed anew in every row.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "drift/drift_detector.h"

namespace everlearn {
namespace {

double Reach(const std::vector<double>& distances, size_t count) {
  const double n = static_cast<double>(count);
  const double mean = std::accumulate(distances.begin(), distances.begin() + count, 0.0) / n;
  double squares = 0;
  for (size_t i = 0; i < count; ++i) squares += (distances[i] - mean) * (distances[i] - mean);
  return mean + 2 * std::sqrt(squares / n);
}

TEST(Eddm, EqualsTheRatioOfThePaper) {
  Random random(1);
  const auto detector = Detectors().Get("eddm").make();
  std::vector<double> distances;
  double since = 0, largest = 0;
  int alarms = 0;
  for (int i = 0; i < 6000; ++i) {
    const bool error = random.Uniform() < (i / 1500 % 2 == 0 ? 0.1 : 0.4);
    ++since;
    const bool alarm = detector->Add(error ? 1 : 0);
    if (!error) {
      ASSERT_FALSE(alarm);
      continue;
    }
    distances.push_back(since);
    since = 0;
    if (distances.size() < 30) {
      ASSERT_FALSE(alarm);
      continue;
    }
    const double reach = Reach(distances, distances.size());
    largest = std::max(largest, reach);
    ASSERT_EQ(alarm, reach < 0.9 * largest) << "row " << i;
    if (alarm) {
      ++alarms;
      distances.clear();
      largest = 0;
    } else {
      ASSERT_EQ(detector->warning(), reach < 0.95 * largest) << "row " << i;
    }
  }
  EXPECT_GE(alarms, 2);
}

}  // namespace
}  // namespace everlearn
