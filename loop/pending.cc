#include "loop/pending.h"

#include <limits>

namespace everlearn {
namespace {

void SaveRow(const PendingRow& row, ByteWriter* out) {
  out->PutVarint(row.row);
  out->Put(row.time);
  out->Put(row.informed);
  out->Put(row.no_change);
  out->Put(row.truth);
  out->Put(row.history);
  out->PutAll(row.members);
  out->PutAll(row.predictions);
  out->PutAll(row.features);
}

PendingRow LoadRow(ByteReader* in) {
  PendingRow row;
  row.row = in->GetVarint();
  row.time = in->Get<int64_t>();
  row.informed = in->Get<uint64_t>();
  row.no_change = in->Get<double>();
  row.truth = in->Get<double>();
  row.history = in->Get<bool>();
  row.members = in->GetAll<uint32_t>();
  row.predictions = in->GetAll<double>();
  row.features = in->GetAll<double>();
  return row;
}

}  // namespace

void PendingRows::Grow() {
  std::vector<PendingRow> larger(ring_.size() * 2);
  for (uint64_t i = begin_; i < end_; ++i) larger[i & (larger.size() - 1)] = std::move(ring_[i & (ring_.size() - 1)]);
  ring_ = std::move(larger);
}

PendingRow& PendingRows::Push() {
  if (size() == ring_.size()) Grow();
  PendingRow& slot = ring_[end_ & (ring_.size() - 1)];
  slot.row = end_++;
  slot.truth = std::numeric_limits<double>::quiet_NaN();
  return slot;
}

PendingRow* PendingRows::Find(uint64_t row) {
  if (row >= begin_ && row < end_) return &ring_[row & (ring_.size() - 1)];
  const auto found = aside_.find(row);
  return found == aside_.end() ? nullptr : &found->second;
}

void PendingRows::SetFrontAside() {
  PendingRow& front = Front();
  if (aside_.size() == kMostAside) aside_.erase(aside_.begin());
  aside_.emplace(front.row, front);
  ++begin_;
}

void PendingRows::Save(ByteWriter* out) const {
  out->PutVarint(begin_);
  out->PutVarint(end_);
  for (uint64_t i = begin_; i < end_; ++i) SaveRow(ring_[i & (ring_.size() - 1)], out);
  out->PutVarint(aside_.size());
  for (const auto& [number, row] : aside_) SaveRow(row, out);
}

void PendingRows::Load(ByteReader* in) {
  begin_ = in->GetVarint();
  end_ = in->GetVarint();
  if (end_ < begin_) throw Error(ErrorKind::kDamaged, "the checkpoint's waiting rows are out of order");
  while (ring_.size() < size()) Grow();
  for (uint64_t i = begin_; i < end_; ++i) ring_[i & (ring_.size() - 1)] = LoadRow(in);
  const uint64_t count = in->GetVarint();
  for (uint64_t i = 0; i < count; ++i) {
    PendingRow row = LoadRow(in);
    aside_.emplace(row.row, std::move(row));
  }
}

}  // namespace everlearn
