// Tests of the outcomes that stored events imply: windows, silence, corrections, what was known before.
#include "loop/scored_outcomes.h"

#include <gtest/gtest.h>

#include <cmath>

namespace everlearn {
namespace {

Event Of(EventKind kind, uint64_t row, double truth = 0) {
  Event event;
  event.kind = kind;
  event.row = row;
  event.truth = truth;
  return event;
}

TEST(ScoredOutcomes, SilenceCountsAsWhatItMeansUnlessTheOutcomeWasKnownBefore) {
  LoopOptions options;
  options.window_rows = 1;
  options.missing_outcome = 7;
  ScoredOutcomes outcomes(options);
  outcomes.Take(Of(EventKind::kRow, 0));
  outcomes.Take(Of(EventKind::kKnown, 0, 1));
  outcomes.Take(Of(EventKind::kRow, 1));
  outcomes.Take(Of(EventKind::kOutcome, 1, 2));
  outcomes.Take(Of(EventKind::kRow, 2));
  EXPECT_TRUE(std::isnan(outcomes.Of(2)));
  outcomes.Take(Of(EventKind::kRow, 3));
  outcomes.Take(Of(EventKind::kRow, 4));
  outcomes.Take(Of(EventKind::kOutcome, 2, 3));  // too late
  outcomes.Take(Of(EventKind::kKnown, 2, 3));    // likewise
  EXPECT_TRUE(std::isnan(outcomes.Of(0)));
  EXPECT_EQ(outcomes.Of(1), 2);
  EXPECT_EQ(outcomes.Of(2), 7);
  outcomes.Take(Of(EventKind::kCorrection, 1, 5));
  EXPECT_EQ(outcomes.Of(1), 5);
}

}  // namespace
}  // namespace everlearn
