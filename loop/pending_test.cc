// Tests of the rows that wait for their outcome.
#include "loop/pending.h"

#include <gtest/gtest.h>

namespace everlearn {
namespace {

TEST(PendingRows, AreFoundByNumberInTheRingAndAside) {
  PendingRows rows;
  for (int i = 0; i < 100; ++i) rows.Push().features = {static_cast<double>(i)};
  EXPECT_EQ(rows.size(), 100u);
  EXPECT_EQ(rows.next_row(), 100u);
  rows.SetFrontAside();
  rows.PopFront();
  ASSERT_NE(rows.Find(0), nullptr);
  EXPECT_EQ(rows.Find(0)->features[0], 0);
  EXPECT_EQ(rows.Find(1), nullptr);
  ASSERT_NE(rows.Find(99), nullptr);
  EXPECT_EQ(rows.Find(99)->features[0], 99);
  EXPECT_EQ(rows.Find(100), nullptr);
  EXPECT_EQ(rows.aside(), 1u);
  rows.DropAside(0);
  EXPECT_EQ(rows.Find(0), nullptr);
}

TEST(PendingRows, SlotsKeepTheirMemory) {
  PendingRows rows;
  rows.Push().features.assign(50, 1.0);
  const double* memory = rows.Find(0)->features.data();
  rows.PopFront();
  for (int i = 0; i < 15; ++i) {
    rows.Push();
    rows.PopFront();
  }
  PendingRow& again = rows.Push();
  again.features.assign(50, 2.0);
  EXPECT_EQ(again.features.data(), memory);
  EXPECT_FALSE(again.known());
}

TEST(PendingRows, SavedAndLoadedTheyAreTheSame) {
  PendingRows rows;
  for (int i = 0; i < 40; ++i) {
    PendingRow& row = rows.Push();
    row.time = i;
    row.members = {1, 2};
    row.predictions = {0.1 * i, 0.5};
  }
  for (int i = 0; i < 5; ++i) rows.SetFrontAside();
  ByteWriter out;
  rows.Save(&out);
  PendingRows copy;
  ByteReader in(out.bytes());
  copy.Load(&in);
  EXPECT_TRUE(in.done());
  EXPECT_EQ(copy.next_row(), 40u);
  EXPECT_EQ(copy.aside(), 5u);
  for (uint64_t i = 0; i < 40; ++i) {
    ASSERT_NE(copy.Find(i), nullptr);
    EXPECT_EQ(copy.Find(i)->predictions, rows.Find(i)->predictions);
    EXPECT_EQ(copy.Find(i)->time, static_cast<int64_t>(i));
  }
}

}  // namespace
}  // namespace everlearn
