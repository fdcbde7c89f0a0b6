// Tests of the shares of rows that stand more than once, where they are estimated from a part of the rows.
#include "guard/duplicate_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "guard/planted_leaks.h"

namespace everlearn {
namespace {

// `rows` of one number each, of which the first `copies` stand `times` times.
PlantedTable Copies(size_t rows, size_t copies, size_t times) {
  PlantedTable table;
  std::vector<double> x;
  for (size_t i = 0; i < rows; ++i) {
    x.push_back(static_cast<double>(i < copies * times ? i % copies : i) * 1.25);
    table.target.push_back(x.back() * 3);
  }
  table.Add({.name = "x"}, std::move(x));
  return table;
}

double PercentOfCopies(const PlantedTable& table) {
  const std::vector<GuardFinding> findings = FindDuplicateRows(table.Input());
  return findings.empty() ? 0 : std::strtod(findings[0].message.c_str(), nullptr);
}

TEST(DuplicateRows, CountsFewRows) {
  EXPECT_EQ(PercentOfCopies(Copies(1000, 0, 1)), 0);
  EXPECT_DOUBLE_EQ(PercentOfCopies(Copies(1000, 50, 4)), 20);
  EXPECT_DOUBLE_EQ(PercentOfCopies(Copies(1000, 10, 100)), 100);
}

// Of many different rows a part is counted; of few, all.
TEST(DuplicateRows, EstimatesAShareOfMany) {
  EXPECT_NEAR(PercentOfCopies(Copies(600'000, 100'000, 3)), 50, 1);
  EXPECT_NEAR(PercentOfCopies(Copies(600'000, 250'000, 2)), 500.0 / 6, 1);
  for (const size_t different : {1, 2, 5, 500, 3000})
    EXPECT_DOUBLE_EQ(PercentOfCopies(Copies(600'000, different, 600'000 / different)), 100) << different;
}

// By chance each row is in both.
TEST(DuplicateRows, FewDifferentRowsAreInTrainAndTest) {
  for (const size_t different : {2, 5, 10}) {
    PlantedTable table = Copies(300'000, different, 300'000 / different);
    table.test_values = {std::vector<double>(table.values[0].begin(), table.values[0].begin() + 1000)};
    EXPECT_TRUE(FindTestRowsInTrain(table.Input()).empty()) << different;
  }
}

}  // namespace
}  // namespace everlearn
