// Seasons: what is known of which row, seasons that are there and none where there are none, damaged states.
#include "kernels/seasons.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(Seasons, KeepsTheNewestOutcomesByRow) {
  Seasons seasons(0);
  EXPECT_TRUE(std::isnan(seasons.Known(0)));
  seasons.Add(3, 30);
  seasons.Add(1, 10);  // late
  EXPECT_EQ(seasons.newest(), 3u);
  EXPECT_EQ(seasons.Known(1), 10);
  EXPECT_TRUE(std::isnan(seasons.Known(2)));
  EXPECT_EQ(seasons.Known(3), 30);
  EXPECT_TRUE(std::isnan(seasons.Known(4)));
  seasons.Add(Seasons::kRing + 2, 7);
  EXPECT_EQ(seasons.Known(3), 30);
  EXPECT_TRUE(std::isnan(seasons.Known(1)));                   // too long ago
  EXPECT_TRUE(std::isnan(seasons.Known(Seasons::kRing + 1)));  // jumped over, though row 1 lay in its place
  seasons.Add(2, 20);                                          // too late to be kept
  EXPECT_TRUE(std::isnan(seasons.Known(2)));
  EXPECT_EQ(seasons.Known(Seasons::kRing + 2), 7);
}

TEST(Seasons, TheNearestMultipleThatIsKnownStandsForTheSeason) {
  Seasons seasons(0);
  for (uint64_t row = 0; row < 30; ++row)
    if (row != 19) seasons.Add(row, static_cast<double>(row));
  EXPECT_EQ(seasons.Ago(29, 5), 24);
  EXPECT_EQ(seasons.Ago(24, 5), 14);       // 19 is not known
  EXPECT_EQ(seasons.Ago(29 + 11, 5), 25);  // neither are 35 and 30
  EXPECT_TRUE(std::isnan(seasons.Ago(4, 5)));
  EXPECT_TRUE(std::isnan(seasons.Ago(29, 0)));
}

TEST(Seasons, FindsDayAndWeekOfNumbers) {
  Seasons seasons(0);
  Random random(1);
  for (uint64_t hour = 0; hour < 4096; ++hour) {
    const double load = std::sin(2 * M_PI * static_cast<double>(hour % 24) / 24) + (hour / 24 % 7 >= 5 ? -2 : 0);
    seasons.Add(hour, load + 0.1 * random.Normal());
  }
  EXPECT_EQ(seasons.season(0), 24u);
  EXPECT_EQ(seasons.season(1), 168u);
}

TEST(Seasons, WhatIsHeldNoLongerHidesTheSeason) {
  Seasons seasons(0);
  const auto add = [&](uint64_t row) { seasons.Add(row, row == 100 ? 1e9 : std::sin(2 * M_PI * static_cast<double>(row % 24) / 24)); };
  for (uint64_t row = 0; row < 300; ++row) add(row);
  EXPECT_EQ(seasons.season(0), 0u);
  seasons.Hold(-5, 5);
  EXPECT_EQ(seasons.Known(100), 5);
  EXPECT_EQ(seasons.Known(99), std::sin(2 * M_PI * 3 / 24));
  EXPECT_TRUE(std::isnan(seasons.Known(301)));
  for (uint64_t row = 300; row < 1024; ++row) add(row);
  EXPECT_EQ(seasons.season(0), 24u);
}

TEST(Seasons, FindsTheCycleOfClassesThatAreOftenSomethingElse) {
  Seasons seasons(7);
  Random random(2);
  for (uint64_t row = 0; row < 1024; ++row) seasons.Add(row, static_cast<double>(random.Uniform() < 0.2 ? random.Below(7) : row % 14 / 2));
  EXPECT_EQ(seasons.season(0), 14u);
}

TEST(Seasons, NoneInNoise) {
  int found = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Seasons noise(0), classes(2);
    Random random(seed);
    for (uint64_t row = 0; row < 2048; ++row) {
      noise.Add(row, random.Normal());
      classes.Add(row, static_cast<double>(random.Below(2)));
    }
    found += (noise.season(0) > 0) + (classes.season(0) > 0);
  }
  EXPECT_EQ(found, 0);
}

TEST(Seasons, SavedAndLoadedGoesOnEqually) {
  Seasons first(0), second(0);
  Random random(3);
  const auto outcome = [&](uint64_t row) { return 2 * std::sin(2 * M_PI * static_cast<double>(row % 30) / 30) + random.Normal(); };
  for (uint64_t row = 0; row < 700; ++row) first.Add(row, outcome(row));
  ByteWriter out;
  first.Save(&out);
  ByteReader in(out.bytes());
  second.Load(&in);
  EXPECT_TRUE(in.done());
  for (uint64_t row = 700; row < 3000; ++row) {
    const double value = outcome(row);
    first.Add(row, value);
    second.Add(row, value);
  }
  ByteWriter a, b;
  first.Save(&a);
  second.Save(&b);
  EXPECT_EQ(a.bytes(), b.bytes());
  EXPECT_EQ(first.season(0), 30u);
}

TEST(Seasons, RefusesDamagedStates) {
  const auto state = [](double outcome, uint64_t outcomes, uint64_t next_search, uint64_t season, size_t size) {
    ByteWriter out;
    std::vector<double> ring(size, 0.0);
    ring[5] = outcome;
    out.PutAll(ring);
    for (const uint64_t count : {uint64_t{5}, outcomes, next_search}) out.Put(count);
    out.Put(std::array<uint64_t, 2>{season, 0});
    return out.Take();
  };
  const auto load = [](const std::string& bytes) {
    ByteReader in(bytes);
    Seasons(2).Load(&in);
  };
  EXPECT_NO_THROW(load(state(1, 6, 256, 24, Seasons::kRing)));
  EXPECT_THROW(load(state(1, 6, 256, 24, 100)), Error);
  for (const double bad : {2.0, -1.0, 0.5, std::numeric_limits<double>::infinity()})
    EXPECT_THROW(load(state(bad, 6, 256, 24, Seasons::kRing)), Error) << bad;
  EXPECT_THROW(load(state(1, 6, 0, 24, Seasons::kRing)), Error);      // it would search at each row
  EXPECT_THROW(load(state(1, 300, 256, 24, Seasons::kRing)), Error);  // so too
  EXPECT_THROW(load(state(1, 6, 256, 1 << 20, Seasons::kRing)), Error);
}

}  // namespace
}  // namespace everlearn
