// Tests of the mean over blocks: equal to the rows' sequence without delay, honest where rows of a block share a cause.
#include "statistics/block_mean.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(BlockMean, BlocksOfOneRowAreTheAsymptoticSequence) {
  Random random(3);
  BlockMeanSequence blocks;
  AsymptoticMeanSequence rows;
  for (uint64_t i = 0; i < 1000; ++i) {
    const double x = 5 + random.Normal();
    blocks.Add(x, i, i);
    if (i < 999) rows.Add(x);  // the last block is not complete
  }
  const Interval a = blocks.Get(), b = rows.Get();
  EXPECT_NEAR(a.value, b.value, 0.01);
  // The forgetting mean adds a twentieth to the variance.
  EXPECT_NEAR((a.upper - a.value) / (b.upper - b.value), std::sqrt(1.05), 0.03);
}

TEST(BlockMean, CoversTheMeanOverRowsAtAllTimesThoughBlocksShareACauseAndDifferInSize) {
  constexpr int kRuns = 400;
  int missed = 0;
  for (uint64_t run = 0; run < kRuns; ++run) {
    Random random(run + 1);
    BlockMeanSequence sequence;
    uint64_t counted = 0;
    bool outside = false;
    for (int block = 0; block < 400; ++block) {
      const uint64_t size = 1 + random.Below(40), informed = counted;
      const double cause = random.Normal();
      for (uint64_t i = 0; i < size; ++i, ++counted) sequence.Add(1e6 + cause + 0.1 * random.Normal(), informed, counted);
      const Interval interval = sequence.Get();
      outside = outside || interval.lower > 1e6 || interval.upper < 1e6;
    }
    missed += outside ? 1 : 0;
    const Interval last = sequence.Get();
    EXPECT_LT(last.upper - last.lower, 1.0);
  }
  // alpha is 5%; three standard errors above it.
  EXPECT_LT(missed, kRuns * 0.05 + 3 * std::sqrt(kRuns * 0.05 * 0.95));
}

TEST(BlockMean, AChangeOfTheMeanIsNotTakenForNoise) {
  BlockMeanSequence sequence;
  uint64_t counted = 0;
  Random random(4);
  // One large block and a hundred small ones without gain, then a hundred with.
  for (int block = 0; block < 201; ++block) {
    const uint64_t informed = counted;
    for (int i = 0; i < (block == 0 ? 1200 : 50); ++i, ++counted) sequence.Add((block > 100 ? 5 : 0) + random.Normal(), informed, counted);
  }
  const Interval interval = sequence.Get();
  EXPECT_NEAR(interval.value, 5.0 * 5000 / 11200, 0.1);
  EXPECT_GT(interval.lower, 0);
}

TEST(BlockMean, SavesAndGoesOn) {
  BlockMeanSequence one, two;
  for (uint64_t i = 0; i < 500; ++i) one.Add(std::sin(static_cast<double>(i)), i / 7 * 7, i);
  ByteWriter out;
  one.Save(&out);
  ByteReader in(out.bytes());
  two.Load(&in);
  EXPECT_TRUE(in.done());
  for (uint64_t i = 500; i < 900; ++i) {
    one.Add(1.0 / static_cast<double>(i), i / 7 * 7, i);
    two.Add(1.0 / static_cast<double>(i), i / 7 * 7, i);
  }
  EXPECT_EQ(one.Get().upper, two.Get().upper);
  EXPECT_EQ(one.Get().value, two.Get().value);
}

}  // namespace
}  // namespace everlearn
