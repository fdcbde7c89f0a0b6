// Tests of intervals: quantiles by their definition, and what a stranger's file may not do.
#include "model/intervals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace everlearn {
namespace {

using testing::Pair;

// 1 … n, so that the quantile of level j / (n + 1) is j.
std::vector<double> UpTo(size_t n) {
  std::vector<double> scores;
  for (size_t i = 1; i <= n; ++i) scores.push_back(static_cast<double>(i));
  return scores;
}

TEST(Intervals, TakeEqualTailsOfTheBinAndRoundOutwards) {
  std::vector<double> scores = UpTo(19);
  scores.insert(scores.end(), {-3, 0, 8});
  const Intervals intervals({0, {10}, {0, 19, 22}, scores, 0});
  EXPECT_THAT(intervals.Around(0, 0.9), Pair(1, 19));  // levels 1/20 and 19/20
  EXPECT_THAT(intervals.Around(0, 0.8), Pair(2, 18));
  EXPECT_THAT(intervals.Around(0, 0.75), Pair(2, 18));  // 2.5 and 17.5
  EXPECT_THAT(intervals.Around(9.99, 0.5), Pair(9.99 + 5, 9.99 + 15));
  EXPECT_THAT(intervals.Around(10, 0.5), Pair(7, 18));
  EXPECT_THAT(intervals.Around(10, 0.9), Pair(7, 18));  // too few scores: all there is
}

TEST(Intervals, GiveTheLeastProbabilityOfALabel) {
  const std::vector<double> scores{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  const Intervals intervals({2, {}, {0, 9}, scores, 0.9});
  EXPECT_EQ(intervals.LeastProbability(0.9), 0.1);
  EXPECT_EQ(intervals.LeastProbability(0.8), 0.2);
  EXPECT_EQ(intervals.LeastProbability(0.75), 0.2);
  EXPECT_EQ(intervals.LeastProbability(0.95), 0);
  EXPECT_EQ(intervals.coverage(), 0.9);
}

TEST(Intervals, AreEqualAfterLoading) {
  const Intervals intervals({0, {1, 2}, {0, 2, 5, 6}, {-1, 1, -2, 0, 2.5, 0}, 0.8});
  ArrayFileWriter writer;
  const Json json = intervals.Save("i.", &writer);
  const Intervals loaded = Intervals::Load(json, "i.", *ArrayFile::Parse(writer.Bytes(), "i"), 0);
  for (const double prediction : {0.0, 1.0, 1.5, 2.0, 3.0}) EXPECT_EQ(loaded.Around(prediction, 0.6), intervals.Around(prediction, 0.6));
  EXPECT_EQ(loaded.coverage(), 0.8);
  EXPECT_TRUE(loaded);
  EXPECT_FALSE(Intervals());
}

TEST(Intervals, RefuseWrongParameters) {
  const auto make = [](IntervalsParameters parameters) { return Intervals(std::move(parameters)); };
  const IntervalsParameters good{0, {1}, {0, 2, 3}, {1, 2, 0}, 0};
  EXPECT_NO_THROW(make(good));
  for (const auto& spoil : std::vector<std::function<void(IntervalsParameters*)>>{
           [](auto* p) { p->begin = {}; },
           [](auto* p) {
             p->begin = {0, 2};
           },
           [](auto* p) {
             p->begin = {0, 3, 3};
           },
           [](auto* p) {
             p->begin = {1, 2, 3};
           },
           [](auto* p) {
             p->begin = {0, ~0ULL, 3};
           },
           [](auto* p) {
             p->scores = {2, 1, 0};
           },
           [](auto* p) { p->scores[0] = std::nan(""); }, [](auto* p) { p->edges = {HUGE_VAL}; }, [](auto* p) { p->edges = {std::nan("")}; },
           [](auto* p) { p->classes = 2; }, [](auto* p) { p->coverage = 0.2; }, [](auto* p) { p->coverage = std::nan(""); },
           [](auto* p) {
             *p = {0, {2, 1}, {0, 1, 2, 3}, {0, 0, 0}, 0};
           }}) {
    IntervalsParameters bad = good;
    spoil(&bad);
    EXPECT_THROW(make(bad), Error);
  }
}

}  // namespace
}  // namespace everlearn
