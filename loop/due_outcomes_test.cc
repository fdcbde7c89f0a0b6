// Outcomes that wait for their time: their order, and a restart.
#include "loop/due_outcomes.h"

#include <gtest/gtest.h>

namespace everlearn {
namespace {

TEST(DueOutcomes, ComeInTheOrderOfTimeAndSurviveARestart) {
  const auto ledger = OpenLedger("", {Durability::kProcess});
  DueOutcomes due(*ledger);
  for (const auto& [time, row] : {std::pair<int64_t, uint64_t>{30, 1}, {-10, 2}, {20, 4}, {20, 3}, {40, 5}}) due.Add({time, row, 0.5});
  due.Add({20, 3, 0.75});  // another value for the same row and time
  EXPECT_EQ(due.size(), 5u);
  DueOutcome next;
  EXPECT_FALSE(due.Take(-11, &next));
  ASSERT_TRUE(due.Take(20, &next));
  EXPECT_EQ(next.row, 2u);
  ledger->Commit();

  DueOutcomes again(*ledger);
  again.Load();
  std::vector<uint64_t> rows;
  while (again.Take(30, &next)) {
    rows.push_back(next.row);
    EXPECT_EQ(next.truth, next.row == 3 ? 0.75 : 0.5);
  }
  EXPECT_EQ(rows, (std::vector<uint64_t>{3, 4, 1}));
  again.Load();
  EXPECT_EQ(again.size(), 1u);
}

}  // namespace
}  // namespace everlearn
