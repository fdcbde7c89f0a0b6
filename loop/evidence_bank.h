// The newest matured rows with what was lost on them, kept out of a scheduled retraining so that its model can be judged at once: the model
// that was trained without them is scored on them against the logged predictions (design.md, Evidence).
//
// One thread; a fixed number of slots that are used again.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "loop/loss.h"
#include "loop/pending.h"
#include "loop/roster.h"

namespace everlearn {

struct BankRow {
  uint64_t row = 0;
  double truth = 0;
  uint64_t settled = 0;                           // PendingRow::settled
  uint64_t informed = 0, counted = 0;             // as BlockMeanSequence::Add wants them
  std::vector<std::pair<uint32_t, double>> lost;  // by the champion of that moment (first) and the newest models of batch lineages

  // Loss of a member, or null.
  const double* Of(uint32_t member) const;
};

void SaveBankRows(const std::vector<BankRow>& rows, ByteWriter* out);
// Throws kDamaged.
std::vector<BankRow> LoadBankRows(ByteReader* in, const std::function<bool(double)>& is_outcome);

class EvidenceBank {
 public:
  static constexpr size_t kMost = 10'000;
  static constexpr size_t kLeast = 100;

  // A row whose outcome counts, in the order in which rows do; `counted` rows have before it.
  void Add(const PendingRow& row, double truth, uint64_t counted, const RowLoss& loss, const Roster& roster, size_t outputs);
  // The newest tenth of the rows that have counted, at most kMost, without those that were settled before the first of them was predicted
  // (its `settled` is where the rows for a first fit end); none where that is fewer than kLeast. In the order of counting.
  std::vector<BankRow> Newest() const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in, const std::function<bool(double)>& is_outcome);  // throws kDamaged

 private:
  std::vector<BankRow> ring_;
  uint64_t added_ = 0;
};

// Differences of losses over bank rows (positive: the new model is better; NaN: not known): their mean with the standard error that its
// blocks give, and the means of the blocks (loop/evidence.h says what a block is).
struct BankComparison {
  uint64_t rows = 0;
  double mean = 0, standard_error = 0;
  std::vector<double> block_means;
};
BankComparison CompareOnBank(const std::vector<BankRow>& bank, const std::vector<double>& differences);

}  // namespace everlearn
