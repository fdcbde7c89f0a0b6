// Tests of the evidence bank: which rows it gives, the comparison's figures, and what a pair makes of them.
#include "loop/evidence_bank.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "loop/evidence.h"

namespace everlearn {
namespace {

// Member 1 is the champion, member 2 the newest model of a batch lineage.
Roster MakeRoster() {
  Roster roster;
  for (uint32_t id = 1; id <= 2; ++id) {
    Lineage lineage;
    lineage.id = lineage.newest = id;
    lineage.kind = id == 2 ? MemberKind::kBatch : MemberKind::kOnline;
    roster.lineages.push_back(lineage);
    Member& member = roster.members.emplace_back();
    member.id = member.lineage = id;
  }
  roster.champion = 1;
  return roster;
}

EvidenceBank BankOf(uint64_t rows) {
  const Roster roster = MakeRoster();
  const RowLoss loss("log_loss", 2);
  EvidenceBank bank;
  for (uint64_t i = 0; i < rows; ++i) {
    PendingRow row;
    row.row = row.informed = row.settled = i;
    row.members = {1, 2};
    row.predictions = {0.5, 0.5, 0.2, 0.8};
    bank.Add(row, 1, i, loss, roster, 2);
  }
  return bank;
}

TEST(EvidenceBank, HoldsTheNewestTenthWithWhatWasLost) {
  EXPECT_TRUE(BankOf(999).Newest().empty());
  const std::vector<BankRow> rows = BankOf(2000).Newest();
  ASSERT_EQ(rows.size(), 200u);
  EXPECT_EQ(rows.front().row, 1800u);
  EXPECT_EQ(rows.back().row, 1999u);
  EXPECT_NEAR(*rows[0].Of(1), std::log(2), 1e-12);
  EXPECT_NEAR(*rows[0].Of(2), -std::log(0.8), 1e-12);
  EXPECT_EQ(rows[0].Of(3), nullptr);
  const std::vector<BankRow> most = BankOf(123'456).Newest();
  ASSERT_EQ(most.size(), EvidenceBank::kMost);
  EXPECT_EQ(most.front().row, 113'456u);
}

// A row of long ago whose outcome came only now may have taught the model that is to be judged.
TEST(EvidenceBank, RowsThatWereSettledBeforeAreNoPartOfIt) {
  const Roster roster = MakeRoster();
  const RowLoss loss("log_loss", 2);
  EvidenceBank bank;
  for (uint64_t i = 0; i < 2000; ++i) {
    PendingRow row;
    row.row = i % 10 == 9 ? i / 2 : i;
    row.informed = row.settled = i;
    row.members = {1};
    row.predictions = {0.5, 0.5};
    bank.Add(row, 1, i, loss, roster, 2);
  }
  const std::vector<BankRow> rows = bank.Newest();
  ASSERT_EQ(rows.size(), 180u);
  for (const BankRow& row : rows) EXPECT_GE(row.row, 1800u);
}

TEST(EvidenceBank, SavedAndLoadedItIsTheSame) {
  ByteWriter out, again;
  BankOf(12'345).Save(&out);
  EvidenceBank loaded;
  ByteReader in(out.bytes());
  loaded.Load(&in, [](double) { return true; });
  EXPECT_TRUE(in.done());
  loaded.Save(&again);
  EXPECT_EQ(again.bytes(), out.bytes());
  ByteReader refused(out.bytes());
  EXPECT_THROW(loaded.Load(&refused, [](double) { return false; }), Error);
}

// Without delay every row is a block of its own: the standard error is the usual one.
TEST(EvidenceBank, ComparesAsTheClosedFormDoes) {
  std::vector<BankRow> bank(4);
  for (uint64_t i = 0; i < 4; ++i) bank[i].row = bank[i].informed = bank[i].counted = i;
  const BankComparison single = CompareOnBank(bank, {1, 2, 3, 6});
  EXPECT_EQ(single.rows, 4u);
  EXPECT_DOUBLE_EQ(single.mean, 3);
  EXPECT_DOUBLE_EQ(single.standard_error, std::sqrt(4 + 1 + 0 + 9) / 4);
  EXPECT_EQ(single.block_means, (std::vector<double>{1, 2, 3, 6}));
  // The first two were predicted before the first of them had counted: one block.
  bank[1].informed = 0;
  const BankComparison blocks = CompareOnBank(bank, {1, 2, kMissing, 6});
  EXPECT_EQ(blocks.rows, 3u);
  EXPECT_DOUBLE_EQ(blocks.mean, 3);
  EXPECT_DOUBLE_EQ(blocks.standard_error, std::sqrt(9 + 9) / 3);
  EXPECT_EQ(blocks.block_means, (std::vector<double>{1.5, 6}));
}

TEST(EvidenceBank, ALineageThatDidBetterOnItGetsItsNumberAtOnce) {
  const Roster roster = MakeRoster();
  for (const double gain : {0.05, -0.05}) {
    Evidence evidence("log_loss", 2, {});
    evidence.OnChampion(roster, 0);
    Random random(3);
    std::vector<double> means(200);
    for (double& mean : means) mean = gain + 0.1 * random.Normal();
    evidence.ScreenOnBank(2, means, 200, 500);
    EXPECT_EQ(evidence.pairs(), gain > 0 ? 1u : 0u) << gain;
    evidence.ScreenOnBank(2, means, 200, 600);
    EXPECT_EQ(evidence.pairs(), gain > 0 ? 1u : 0u) << "a pair has one number";
  }
}

}  // namespace
}  // namespace everlearn
