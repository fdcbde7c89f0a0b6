// What a target counts as, before and after it is known how targets lie, and that states are read back.
#include "kernels/held_target.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(HeldTarget, FarOnesCountAsTwentyDeviations) {
  HeldTarget targets;
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const double target = 5 + random.Normal();
    EXPECT_EQ(targets.Learn(target), target);
  }
  const double limit = targets.mean() - kOutlierDeviations * targets.deviation();
  EXPECT_EQ(targets.Learn(-1e300), limit);
}

TEST(HeldTarget, SaysOnceThatAnEarlyOneWasAbsurd) {
  HeldTarget targets;
  Random random(2);
  int said = 0;
  for (int i = 0; i < 600; ++i) {
    targets.Learn(i == 4 ? 1e9 : random.Normal());
    said += targets.was_absurd() ? 1 : 0;
  }
  EXPECT_EQ(said, 1);
  EXPECT_NEAR(targets.mean(), 0, 0.2);
  EXPECT_NEAR(targets.deviation(), 1, 0.2);
}

TEST(HeldTarget, ReadsWhatItSaved) {
  HeldTarget targets, loaded;
  Random random(3);
  for (int i = 0; i < 100; ++i) targets.Learn(random.Normal());
  ByteWriter out, again;
  targets.Save(&out);
  ByteReader in(out.bytes());
  loaded.Load(&in);
  EXPECT_TRUE(in.done());
  loaded.Save(&again);
  EXPECT_EQ(out.bytes(), again.bytes());
  std::string damaged = out.bytes();
  damaged.replace(8, 8, std::string(8, '\xff'));  // the mean
  ByteReader bad(damaged);
  EXPECT_THROW(loaded.Load(&bad), Error);
}

}  // namespace
}  // namespace everlearn
