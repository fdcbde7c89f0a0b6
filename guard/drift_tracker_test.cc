// Tests of the drift of inputs: false alarms of a million rows, what is seen of real changes, episodes, effects, and what is saved.
#include "guard/drift_tracker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Twenty columns: normal, skewed, discrete, categories, with and without missing values.
std::vector<bool> Kinds() {
  std::vector<bool> kinds(20);
  for (size_t c = 15; c < 20; ++c) kinds[c] = true;
  return kinds;
}

void Draw(Random* random, std::vector<double>* row) {
  row->resize(20);
  for (size_t c = 0; c < 20; ++c) {
    double& value = (*row)[c];
    if (c < 8) value = random->Uniform();
    else if (c < 12) value = -std::log(1 - random->Uniform());
    else if (c < 15) value = static_cast<double>(random->Below(c));
    else value = static_cast<double>(random->Below(1 + random->Below(c * 10)));
    if (c % 3 == 0 && random->Below(20) == 0) value = kNan;
  }
}

// Alarms of an undrifting stream of a million rows.
int FalseAlarms(uint64_t seed, double minimum_psi) {
  Random random(seed);
  DriftTracker tracker(Kinds(), {.minimum_psi = minimum_psi});
  std::vector<double> row;
  int alarms = 0;
  for (uint64_t i = 0; i < 1'000'000; ++i) {
    Draw(&random, &row);
    if (tracker.AddRow(i, row.data())) alarms += !tracker.begun().empty() || tracker.table_begun();
  }
  EXPECT_GE(tracker.windows(), 95u);
  return alarms;
}

TEST(DriftTracker, FalseAlarmsAreAsRareAsAsked) {
  constexpr int kRuns = 10;
  int tests = 0, alarms = 0;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) tests += FalseAlarms(seed, 0);
  for (uint64_t seed = 1; seed <= 2; ++seed) alarms += FalseAlarms(seed, DriftOptions().minimum_psi);
  std::printf("asked: 1 in 1,000,000 rows; got by the tests alone: %.2f; with the least change: %.2f\n", tests / double{kRuns},
              alarms / 2.0);
  RecordProperty("alarms_of_ten_million_rows", tests);
  EXPECT_LE(tests, 19);  // of 10 asked: a Poisson count exceeds 19 with probability 0.003
  EXPECT_EQ(alarms, 0);
}

class Changed : public testing::Test {
 protected:
  // Rows 0 to 30,000 as drawn, then changed by `change`; the window that sees it whole is the last one.
  template <typename Change>
  void Run(const Change& change, uint64_t changed_rows = 22'000) {
    Random random(7);
    std::vector<double> row;
    for (uint64_t i = 0; i < 30'000 + changed_rows; ++i) {
      Draw(&random, &row);
      if (i >= 30'000) change(&row);
      if (tracker_.AddRow(i, row.data())) {
        for (const size_t column : tracker_.begun()) alarms_.push_back(column);
        table_alarms_ += tracker_.table_begun();
      }
      // Where column 0 is large, predictions are bad; column 1 does not matter.
      tracker_.AddLoss(i, row.data(), row[0] > 0.5 ? 1.0 : 0.2);
    }
  }
  DriftTracker tracker_{Kinds()};
  std::vector<size_t> alarms_;
  int table_alarms_ = 0;
};

TEST_F(Changed, NothingIsSeenWhereNothingChanged) {
  Run([](std::vector<double>*) {});
  EXPECT_TRUE(alarms_.empty());
  EXPECT_GE(tracker_.windows(), 3u);
}

TEST_F(Changed, AShiftIsAnAlarmOnceAndItsEffectIsEstimated) {
  Run([](std::vector<double>* row) {
    (*row)[0] = 0.25 + 0.75 * (*row)[0];
    (*row)[1] = 0.25 + 0.75 * (*row)[1];
  });
  ASSERT_EQ(alarms_.size(), 2u);
  EXPECT_EQ(alarms_[0], 0u) << "the column that matters comes first";
  EXPECT_EQ(tracker_.Ranked()[0], 0u);
  const ColumnDrift& drift = tracker_.columns()[0];
  EXPECT_NEAR(drift.ks, 0.25, 0.03);
  EXPECT_NEAR(drift.wasserstein, 0.125, 0.01);  // of uniform [0, 1] and [0.25, 1]
  // Shares of bad rows: 0.95 × 1/2 before (missing ones are not), 0.95 × 2/3 now; and the good loss is 0.8 less.
  EXPECT_NEAR(drift.effect, 0.95 * (2.0 / 3 - 0.5) * 0.8, 0.02);
  EXPECT_NEAR(tracker_.columns()[1].effect, 0, 0.02);
  EXPECT_LT(drift.p, 1e-10);
  EXPECT_TRUE(drift.drifting);
  EXPECT_FALSE(tracker_.columns()[2].drifting);
  EXPECT_GT(tracker_.columns()[2].p, 0.005);
}

TEST_F(Changed, MissingValuesAreADriftOfTheirOwn) {
  Run([](std::vector<double>* row) {
    if (std::fmod((*row)[1] * 1000, 1.0) < 0.15) (*row)[1] = kNan;
  });
  ASSERT_EQ(alarms_, std::vector<size_t>{1});
  EXPECT_EQ(tracker_.columns()[1].reference_missing, 0);
  EXPECT_NEAR(tracker_.columns()[1].missing, 0.15, 0.03);
  EXPECT_LT(tracker_.columns()[1].ks, 0.06) << "what is there has not changed";
}

TEST_F(Changed, UnseenCategoriesAreADrift) {
  Run([](std::vector<double>* row) {
    if ((*row)[16] < 20) (*row)[16] = 5000;
  });
  EXPECT_EQ(alarms_, std::vector<size_t>{16});
}

TEST_F(Changed, ManySmallChangesAreAnAlarmOfTheWhole) {
  Run([](std::vector<double>* row) {
    for (size_t c = 0; c < 12; ++c) (*row)[c] = c < 8 ? std::pow((*row)[c], 0.8) : (*row)[c] * 1.23;
  });
  EXPECT_EQ(table_alarms_, 1);
  EXPECT_LT(tracker_.table().p, 1e-6);
  EXPECT_LT(alarms_.size(), 4u);
}

TEST_F(Changed, AnEpisodeEndsAndANewReferenceIsTakenWhenAsked) {
  Run([](std::vector<double>* row) { (*row)[0] += 0.5; });
  EXPECT_TRUE(tracker_.columns()[0].drifting);
  tracker_.BeginReference();
  EXPECT_FALSE(tracker_.columns()[0].drifting);
  EXPECT_EQ(tracker_.windows(), 0u);
  alarms_.clear();
  Run([](std::vector<double>*) {}, 20'000);  // from the new reference's point of view
  EXPECT_TRUE(alarms_.empty());
  EXPECT_GT(tracker_.windows(), 0u);
}

// A column that stays for 40 rows at a value: its windows differ more than those of independent rows would, which is no drift.
TEST(DriftTracker, RowsInRunsAreNoDrift) {
  int alarms = 0, windows = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    DriftTracker tracker({false}, {.minimum_psi = 0});
    double value = 0;
    for (uint64_t i = 0; i < 110'000; ++i) {
      if (i % 40 == 0) value = random.Normal();
      if (!tracker.AddRow(i, &value)) continue;
      ++windows;
      alarms += !tracker.begun().empty();
    }
  }
  EXPECT_GE(windows, 180);
  EXPECT_LE(alarms, 5);  // asked: at most 0.005 × windows for columns, one a run for the whole life
}

TEST(DriftTracker, AShortHistoryIsTheReference) {
  Random random(3);
  DriftTracker tracker({false});
  for (uint64_t i = 0; i < 3200; ++i) {
    const double value = random.Normal();
    tracker.AddRow(i, &value);
  }
  EXPECT_EQ(tracker.reference_rows(), 3000u);
  tracker.EndHistory();
  uint64_t row = 3200;
  for (; tracker.windows() == 0; ++row) {
    const double value = 1 + random.Normal();
    tracker.AddRow(row, &value);
  }
  EXPECT_NEAR(static_cast<double>(row), 13'200, 400);
  EXPECT_EQ(tracker.begun().size(), 1u);
}

TEST(DriftTracker, GoesOnFromWhatWasSaved) {
  for (const uint64_t at : {700u, 7777u, 35'001u}) {
    Random random(11);
    DriftTracker whole(Kinds()), loaded(Kinds());
    std::vector<double> row;
    for (uint64_t i = 0; i < 60'000; ++i) {
      Draw(&random, &row);
      if (i > 30'000) row[4] *= 2;
      whole.AddRow(i, row.data());
      whole.AddLoss(i, row.data(), row[5]);
      if (i > at) {
        loaded.AddRow(i, row.data());
        loaded.AddLoss(i, row.data(), row[5]);
      } else if (i == at) {
        ByteWriter out;
        whole.Save(&out);
        ByteReader in(out.bytes());
        loaded.Load(&in);
        EXPECT_TRUE(in.done());
        EXPECT_LT(out.size(), 20 * 20'000u);
      }
    }
    ByteWriter a, b;
    whole.Save(&a);
    loaded.Save(&b);
    EXPECT_EQ(a.bytes(), b.bytes());
    EXPECT_TRUE(whole.columns()[4].drifting);
  }
}

TEST(DriftTracker, WhatIsErasedIsForgotten) {
  DriftTracker tracker({false, false});
  for (uint64_t i = 0; i < 100; ++i) {
    const double row[] = {123456.75, 0};
    tracker.AddRow(i, row);
  }
  const auto holds = [&] {
    ByteWriter out;
    tracker.Save(&out);
    const double value = 123456.75;
    return out.bytes().find(std::string(reinterpret_cast<const char*>(&value), sizeof value)) != std::string::npos;
  };
  EXPECT_TRUE(holds());
  for (uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(tracker.Forget(i));
  EXPECT_FALSE(tracker.Forget(100));
  EXPECT_FALSE(holds());
}

}  // namespace
}  // namespace everlearn
