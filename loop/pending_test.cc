// Tests of the rows that wait for their outcome.
#include "loop/pending.h"

#include <gtest/gtest.h>

#include "base/random.h"

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

// Those of the ring that are not known, and all that are aside: what a person is told still waits.
TEST(PendingRows, OpenRowsAreCounted) {
  PendingRows rows(3);
  EXPECT_EQ(rows.CountOpen(), 0u);
  for (int i = 0; i < 40; ++i) rows.Push();  // beyond the first size of the ring
  EXPECT_EQ(rows.CountOpen(), 40u);
  for (const uint64_t known : {7, 8, 39}) rows.Find(known)->truth = 0;
  EXPECT_EQ(rows.CountOpen(), 37u);
  for (int i = 0; i < 3; ++i) rows.SetFrontAside();
  EXPECT_EQ(rows.CountOpen(), 37u);
  rows.SetFrontAside();  // row 0 is given up for it
  EXPECT_EQ(rows.CountOpen(), 36u);
  rows.DropAside(1);
  EXPECT_EQ(rows.CountOpen(), 35u);
  for (int i = 0; i < 3; ++i) rows.PopFront();  // 4 to 6, unknown
  EXPECT_EQ(rows.CountOpen(), 32u);
  for (int i = 0; i < 2; ++i) rows.PopFront();  // 7 and 8, known
  EXPECT_EQ(rows.CountOpen(), 32u);
  rows.Push();  // in a slot whose earlier row was known
  EXPECT_EQ(rows.CountOpen(), 33u);
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

// Whatever happens to the rows while they are saved in parts: what comes back is what was there at the beginning.
TEST(PendingRows, SavedInPartsTheyAreAsTheyWereAtTheBeginning) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    PendingRows rows(30);
    const auto change = [&] {
      const uint64_t row = rows.next_row() == 0 ? 0 : random.Below(rows.next_row());
      switch (random.Below(6)) {
        case 0:
        case 1: {
          PendingRow& fresh = rows.Push();
          fresh.members = {1};
          fresh.predictions = {random.Uniform()};
          fresh.features.assign(3, random.Uniform());
          break;
        }
        case 2:
          if (PendingRow* found = rows.Find(row)) found->truth = random.Uniform();
          break;
        case 3:
          rows.DropAside(row);
          break;
        case 4:
          if (!rows.empty()) rows.PopFront();
          break;
        default:
          if (!rows.empty()) rows.SetFrontAside();
      }
    };
    for (int i = 0; i < 200; ++i) change();
    ByteWriter whole, bounds;
    rows.Save(&whole);
    rows.SaveBounds(&bounds);
    rows.BeginSave();
    std::vector<std::string> parts;
    for (bool more = true; more;) {
      ByteWriter part;
      more = rows.SavePart(150, &part);
      parts.push_back(part.Take());
      for (uint64_t i = random.Below(20); i > 0; --i) change();
    }
    PendingRows loaded(30);
    ByteReader in(bounds.bytes());
    loaded.LoadBounds(&in);
    for (const std::string& part : parts) {
      ByteReader reader(part);
      loaded.LoadPart(&reader);
    }
    loaded.EndLoad();
    ByteWriter again;
    loaded.Save(&again);
    EXPECT_EQ(again.bytes(), whole.bytes()) << "seed " << seed;
  }
}

TEST(PendingRows, APartThatIsMissingIsNoticed) {
  PendingRows rows;
  for (int i = 0; i < 10; ++i) rows.Push();
  ByteWriter bounds, part;
  rows.SaveBounds(&bounds);
  rows.BeginSave();
  EXPECT_TRUE(rows.SavePart(1, &part));
  PendingRows loaded;
  ByteReader in(bounds.bytes()), reader(part.bytes());
  loaded.LoadBounds(&in);
  loaded.LoadPart(&reader);
  EXPECT_THROW(loaded.EndLoad(), Error);
}

}  // namespace
}  // namespace everlearn
