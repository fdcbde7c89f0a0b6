#include "loop/evidence_bank.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr double kEpsilon = 1e-6;  // holds probabilities inside [ε, 1 − ε]

void SaveRow(const BankRow& row, ByteWriter* out) {
  out->PutVarint(row.row);
  out->Put(row.truth);
  out->PutVarint(row.settled);
  out->PutVarint(row.informed);
  out->PutVarint(row.counted);
  out->PutVarint(row.lost.size());
  for (const auto& [member, loss] : row.lost) {
    out->PutVarint(member);
    out->Put(loss);
  }
}

}  // namespace

const double* BankRow::Of(uint32_t member) const {
  for (const auto& [who, loss] : lost)
    if (who == member) return &loss;
  return nullptr;
}

void SaveBankRows(const std::vector<BankRow>& rows, ByteWriter* out) {
  out->PutVarint(rows.size());
  for (const BankRow& row : rows) SaveRow(row, out);
}

std::vector<BankRow> LoadBankRows(ByteReader* in, const std::function<bool(double)>& is_outcome) {
  std::vector<BankRow> rows(in->GetCount());
  for (BankRow& row : rows) {
    row.row = in->GetVarint();
    row.truth = in->Get<double>();
    row.settled = in->GetVarint();
    row.informed = in->GetVarint();
    row.counted = in->GetVarint();
    row.lost.resize(in->GetCount());
    for (auto& [member, loss] : row.lost) {
      member = static_cast<uint32_t>(in->GetVarint());
      loss = in->Get<double>();
    }
    if (row.lost.empty() || !is_outcome(row.truth)) throw Error(ErrorKind::kDamaged, "the checkpoint's evidence bank is damaged");
  }
  return rows;
}

void EvidenceBank::Add(const PendingRow& row, double truth, uint64_t counted, const RowLoss& loss, const Roster& roster, size_t outputs) {
  if (ring_.size() < kMost) ring_.emplace_back();
  BankRow& slot = ring_[added_++ % kMost];
  slot.row = row.row;
  slot.truth = truth;
  slot.settled = row.settled;
  slot.informed = row.informed;
  slot.counted = counted;
  slot.lost.clear();
  slot.lost.emplace_back(row.members.front(), loss.Of(row.predictions.data(), truth, kEpsilon));
  for (const Lineage& lineage : roster.lineages) {
    if (lineage.kind != MemberKind::kBatch || lineage.newest == row.members.front()) continue;
    if (const double* prediction = row.Of(lineage.newest, outputs))
      slot.lost.emplace_back(lineage.newest, loss.Of(prediction, truth, kEpsilon));
  }
}

std::vector<BankRow> EvidenceBank::Newest() const {
  const uint64_t count = std::min<uint64_t>(added_ / 10, ring_.size());
  std::vector<BankRow> rows;
  if (count < kLeast) return rows;
  rows.reserve(count);
  for (uint64_t i = added_ - count; i < added_; ++i) rows.push_back(ring_[i % kMost]);
  // Rows whose outcome came later than those of newer rows: the model that is to be judged may learn from what is settled before the bank.
  const uint64_t end = rows.front().settled;
  std::erase_if(rows, [&](const BankRow& row) { return row.row < end; });
  if (rows.size() < kLeast) rows.clear();
  return rows;
}

void EvidenceBank::Save(ByteWriter* out) const {
  out->PutVarint(added_);
  SaveBankRows(ring_, out);
}

void EvidenceBank::Load(ByteReader* in, const std::function<bool(double)>& is_outcome) {
  added_ = in->GetVarint();
  ring_ = LoadBankRows(in, is_outcome);
  if (ring_.size() != std::min<uint64_t>(added_, kMost)) throw Error(ErrorKind::kDamaged, "the checkpoint's evidence bank is damaged");
}

BankComparison CompareOnBank(const std::vector<BankRow>& bank, const std::vector<double>& differences) {
  BankComparison comparison;
  std::vector<double> sums;
  std::vector<uint64_t> sizes;
  uint64_t first = 0;
  double total = 0;
  for (size_t i = 0; i < bank.size(); ++i) {
    if (!std::isfinite(differences[i])) continue;
    if (sums.empty() || bank[i].informed > first) {
      sums.push_back(0);
      sizes.push_back(0);
      first = bank[i].counted;
    }
    sums.back() += differences[i];
    ++sizes.back();
    total += differences[i];
    ++comparison.rows;
  }
  if (comparison.rows == 0) return comparison;
  const auto rows = static_cast<double>(comparison.rows);
  comparison.mean = total / rows;
  // Of a ratio estimator: the sums of blocks around what as many average rows would give.
  double squares = 0;
  for (size_t b = 0; b < sums.size(); ++b) {
    const double distance = sums[b] - comparison.mean * static_cast<double>(sizes[b]);
    squares += distance * distance;
    comparison.block_means.push_back(sums[b] / static_cast<double>(sizes[b]));
  }
  comparison.standard_error = std::sqrt(squares) / rows;
  return comparison;
}

}  // namespace everlearn
