// The e-detector of losses: the time between false alarms is the one asked for, its bound is the closed form, and rises are found.
#include "drift/e_detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

template <typename Draw>
double MeanRowsToAlarm(double asked, int runs, uint64_t cut, Draw draw) {
  double total = 0;
  for (int run = 0; run < runs; ++run) {
    Random random = Random::Derive(5, run);
    LossEDetector detector(asked);
    uint64_t rows = 1;
    while (rows < cut && !detector.Add(draw(&random))) ++rows;
    total += static_cast<double>(rows);  // cut, which makes the mean smaller
  }
  return total / runs;
}

TEST(LossEDetector, RaisesFalseAlarmsAsSeldomAsAsked) {
  for (const double rate : {0.02, 0.2, 0.5})
    EXPECT_GE(MeanRowsToAlarm(10'000, 60, 60'000, [rate](Random* random) { return random->Uniform() < rate ? 1.0 : 0.0; }), 10'000) << rate;
  EXPECT_GE(MeanRowsToAlarm(10'000, 60, 60'000, [](Random* random) { return random->Uniform() * random->Uniform(); }), 10'000);
  EXPECT_GE(MeanRowsToAlarm(150, 400, 2'000, [](Random* random) { return random->Uniform() < 0.2 ? 1.0 : 0.0; }), 150);
}

TEST(LossEDetector, ItsBoundIsTheClosedForm) {
  LossEDetector detector;
  EXPECT_EQ(detector.bound(), 1);
  for (int i = 0; i < 100; ++i) detector.Add(0);
  EXPECT_NEAR(detector.bound(), 1 - std::pow(0.25, 1.0 / 100), 1e-12);  // (1 − b)^100 = ¼
  for (int i = 0; i < 100; ++i) detector.Add(0);
  EXPECT_NEAR(detector.bound(), 1 - std::pow(0.125, 1.0 / 200), 1e-12);
}

TEST(LossEDetector, NoticesARise) {
  std::vector<int> delays;
  for (int run = 0; run < 51; ++run) {
    Random random = Random::Derive(6, run);
    LossEDetector detector;
    for (int i = 0; i < 3000; ++i) detector.Add(random.Uniform() < 0.2 ? 1 : 0);
    int rows = 1;
    while (rows < 5000 && !detector.Add(random.Uniform() < 0.35 ? 1 : 0)) ++rows;
    delays.push_back(rows);
  }
  std::nth_element(delays.begin(), delays.begin() + 25, delays.end());
  EXPECT_LT(delays[25], 350);  // ln(20,000) / kl(0.35, 0.2) = 171 rows are needed by any method that knows both rates
}

}  // namespace
}  // namespace everlearn
