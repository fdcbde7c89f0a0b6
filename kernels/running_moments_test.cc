// Running moments against the two-pass formulas, with missing, constant and huge values.
#include "kernels/running_moments.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(RunningMoments, EqualTheTwoPassFormulas) {
  constexpr size_t kColumns = 13;
  std::array<std::vector<double>, 3> zero;
  for (auto& field : zero) field.assign(kColumns, 0.0);
  std::vector<double> deviation(kColumns, 1.0), row(kColumns);
  std::vector<std::vector<double>> seen(kColumns);
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    for (size_t j = 0; j < kColumns; ++j) {
      row[j] = j == 0 ? 7.0 : 1e6 * static_cast<double>(j) + random.Normal() * static_cast<double>(j);
      if (random.Uniform() < 0.1) row[j] = std::numeric_limits<double>::quiet_NaN();
      if (!std::isnan(row[j])) seen[j].push_back(row[j]);
    }
    AddToMoments({zero[0].data(), zero[1].data(), zero[2].data(), deviation.data()}, row.data(), kColumns);
  }
  for (size_t j = 0; j < kColumns; ++j) {
    const auto n = static_cast<double>(seen[j].size());
    const double mean = std::accumulate(seen[j].begin(), seen[j].end(), 0.0) / n;
    double squares = 0;
    for (const double x : seen[j]) squares += (x - mean) * (x - mean);
    EXPECT_EQ(zero[0][j], n);
    EXPECT_NEAR(zero[1][j], mean, 1e-9 * mean);
    EXPECT_NEAR(deviation[j], j == 0 ? 1.0 : std::sqrt(squares / n), 1e-6);
  }
}

TEST(RunningMoments, AnOutlierCountsAsTwentyDeviations) {
  RunningMoments moments;
  for (int i = 0; i < 100; ++i) moments.Add(i % 2 == 0 ? 1 : -1);
  moments.Add(1e308);
  EXPECT_NEAR(moments.mean, 20.0 / 101, 1e-12);
  EXPECT_TRUE(std::isfinite(moments.deviation));
}

TEST(Standardise, HoldsAndPassesOver) {
  const std::array<double, 4> values = {3, 1e9, -1e9, std::numeric_limits<double>::quiet_NaN()}, centre = {1, 0, 0, 0},
                              scale = {4, 1, 1, 1};
  std::array<double, 4> out;
  Standardise(values.data(), centre.data(), scale.data(), 3, 4, out.data());
  EXPECT_EQ(out, (std::array<double, 4>{0.5, 3, -3, 0}));
}

}  // namespace
}  // namespace everlearn
