// Tests of conformal intervals and sets of labels by simulation: the coverage that was asked for, on rows that nothing was made from.
#include "search/conformal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Rows {
  std::vector<double> truth, predictions;
};

// The standard deviation of the error grows with the prediction, and the error is skewed (exponential).
Rows Values(size_t rows, uint64_t seed) {
  Rows result;
  Random random(seed);
  for (size_t i = 0; i < rows; ++i) {
    const double prediction = 1 + 9 * random.Uniform();
    result.predictions.push_back(prediction);
    result.truth.push_back(prediction * (1 - std::log(1 - random.Uniform()) - 1));
  }
  return result;
}

double Coverage(const Intervals& intervals, const Rows& rows, double coverage, double* width) {
  double inside = 0, sum = 0;
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    const auto [lower, upper] = intervals.Around(rows.predictions[i], coverage);
    inside += lower <= rows.truth[i] && rows.truth[i] <= upper ? 1 : 0;
    sum += upper - lower;
  }
  *width = sum / static_cast<double>(rows.truth.size());
  return inside / static_cast<double>(rows.truth.size());
}

TEST(FitIntervals, CoverWhatWasAsked) {
  const Rows rows = Values(20'000, 1), fresh = Values(50'000, 2);
  const Intervals intervals = FitIntervals(rows.truth, rows.predictions, 0, 0);
  for (const double coverage : {0.5, 0.8, 0.9, 0.95, 0.99}) {
    double width = 0;
    EXPECT_NEAR(Coverage(intervals, fresh, coverage, &width), coverage, 0.008) << coverage;
    // The truth is prediction × exponential: the tails' quantiles are -log(1 - level), and the mean prediction 5.5.
    const double tail = (1 - coverage) / 2;
    EXPECT_NEAR(width, 5.5 * (std::log(1 - tail) - std::log(tail)), 0.35 + 0.05 * width) << coverage;
  }
  // The width follows the size of the errors.
  const auto [low, low_end] = intervals.Around(1.5, 0.9);
  const auto [high, high_end] = intervals.Around(9.5, 0.9);
  EXPECT_NEAR((high_end - high) / (low_end - low), 9.5 / 1.5, 2);
}

TEST(FitIntervals, CoverOnAverageWithFewRows) {
  // The coverage of one small table varies; over many its mean is at least what was asked, and at most 2 / (n + 1) above.
  double sum = 0, width = 0;
  constexpr int kTimes = 400;
  for (int time = 0; time < kTimes; ++time) {
    const Rows rows = Values(59, 100 + time), fresh = Values(1'000, 1'000 + time);
    sum += Coverage(FitIntervals(rows.truth, rows.predictions, 0, 0), fresh, 0.9, &width);
  }
  EXPECT_GT(sum / kTimes, 0.893);
  EXPECT_LT(sum / kTimes, 0.94);
}

TEST(FitIntervals, LabelsCoverWhatWasAsked) {
  const auto make = [](size_t count, uint64_t seed) {
    Rows rows;
    Random random(seed);
    for (size_t i = 0; i < count; ++i) {
      double p[3] = {random.Uniform() + 0.01, random.Uniform() * 0.5, random.Uniform() * 0.2};
      const double sum = p[0] + p[1] + p[2];
      for (const double value : p) rows.predictions.push_back(value / sum);
      const double u = random.Uniform() * sum;
      rows.truth.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
    }
    return rows;
  };
  const Rows rows = make(10'000, 3), fresh = make(50'000, 4);
  const Intervals intervals = FitIntervals(rows.truth, rows.predictions, 3, 0.9);
  EXPECT_EQ(intervals.coverage(), 0.9);
  for (const double coverage : {0.5, 0.9, 0.99}) {
    const double least = intervals.LeastProbability(coverage);
    double inside = 0;
    for (size_t i = 0; i < fresh.truth.size(); ++i)
      inside += fresh.predictions[i * 3 + static_cast<size_t>(fresh.truth[i])] >= least ? 1 : 0;
    EXPECT_NEAR(inside / static_cast<double>(fresh.truth.size()), coverage, 0.01);
  }
}

TEST(FitIntervals, LeaveOutRowsWithoutPrediction) {
  EXPECT_FALSE(FitIntervals({}, {}, 0, 0));
  EXPECT_FALSE(FitIntervals(std::vector<double>{1}, std::vector<double>{kNaN}, 0, 0));
  const Intervals one = FitIntervals(std::vector<double>{1, 2}, std::vector<double>{kNaN, 3}, 0, 0);
  EXPECT_THAT(one.Around(5, 0.9), testing::Pair(4, 4));
  EXPECT_FALSE(FitIntervals(std::vector<double>{1}, std::vector<double>{kNaN, kNaN}, 2, 0));
}

TEST(FitIntervals, EqualPredictionsAreOneBin) {
  Rows rows;
  Random random(5);
  for (int i = 0; i < 5'000; ++i) {
    rows.predictions.push_back(7);
    rows.truth.push_back(7 + random.Normal());
  }
  const auto [lower, upper] = FitIntervals(rows.truth, rows.predictions, 0, 0).Around(7, 0.9);
  EXPECT_NEAR(lower, 7 - 1.645, 0.1);
  EXPECT_NEAR(upper, 7 + 1.645, 0.1);
}

}  // namespace
}  // namespace everlearn
