// An absurd value among the first rows is forgotten; ordinary columns stay as they are.
#include "kernels/early_moments.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

// Of one column, after so many rows of deviation 1 around 5; `absurd` comes as row `at`.
RunningMoments After(int rows, int at, double absurd) {
  RunningMoments moments;
  EarlyMoments early(1);
  Random random(1);
  for (int i = 0; i < rows; ++i) {
    const double value = i == at ? absurd : 5 + random.Normal();
    moments.Add(value);
    early.Add({&moments.count, &moments.mean, &moments.squares, &moments.deviation}, &value);
  }
  return moments;
}

TEST(EarlyMoments, ForgetAnAbsurdValueWithin60Rows) {
  for (const double absurd : {1e4, 1e12, -1e100, 1e300}) {
    for (const int at : {0, 5, 29}) {
      const RunningMoments moments = After(60, at, absurd);
      EXPECT_NEAR(moments.mean, 5, 0.6) << absurd << " at " << at;
      EXPECT_NEAR(moments.deviation, 1, 0.4) << absurd << " at " << at;
    }
  }
}

TEST(EarlyMoments, LeaveOrdinaryColumnsAlone) {
  RunningMoments plain;
  Random random(1);
  for (int i = 0; i < 600; ++i) plain.Add(5 + random.Normal());
  const RunningMoments moments = After(600, -1, 0);
  EXPECT_EQ(moments.count, 600);
  EXPECT_EQ(moments.mean, plain.mean);
  EXPECT_EQ(moments.deviation, plain.deviation);
}

TEST(EarlyMoments, SayWhatTheNewestHalfWas) {
  RunningMoments moments;
  EarlyMoments early(1);
  bool made = false;
  for (int i = 0; i < 60; ++i) {
    const double value = i == 3 ? 1e9 : i % 5;
    moments.Add(value);
    made = early.Add({&moments.count, &moments.mean, &moments.squares, &moments.deviation}, &value);
  }
  ASSERT_TRUE(made);
  EXPECT_EQ(early.newest(0).low, 0);
  EXPECT_EQ(early.newest(0).high, 4);
  EXPECT_EQ(moments.count, 30);
}

TEST(EarlyMoments, GoOnAfterLoading) {
  RunningMoments a, b;
  EarlyMoments whole(1), parts(1);
  Random random(2);
  for (int i = 0; i < 500; ++i) {
    const double value = i == 7 ? 1e12 : random.Normal();
    a.Add(value);
    whole.Add({&a.count, &a.mean, &a.squares, &a.deviation}, &value);
    ByteWriter out;
    parts.Save(&out);
    parts = EarlyMoments(1);
    ByteReader in(out.bytes());
    parts.Load(&in);
    b.Add(value);
    parts.Add({&b.count, &b.mean, &b.squares, &b.deviation}, &value);
  }
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.deviation, b.deviation);
}

}  // namespace
}  // namespace everlearn
