#include "loop/pending.h"

#include <algorithm>
#include <limits>

namespace everlearn {
namespace {

void SaveRow(const PendingRow& row, ByteWriter* out) {
  out->PutVarint(row.row);
  out->Put(row.time);
  out->Put(row.informed);
  out->Put(row.no_change);
  out->Put(row.truth);
  out->Put(row.half_width);
  out->Put(row.estimated_loss);
  out->Put(row.estimated_accuracy);
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
  row.half_width = in->Get<double>();
  row.estimated_loss = in->Get<double>();
  row.estimated_accuracy = in->Get<double>();
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
  if (aside_.size() >= most_aside_) {
    aside_.erase(aside_.begin());
    ++given_up_;
  }
  aside_.emplace(front.row, front);
  ++begin_;
}

void PendingRows::Save(ByteWriter* out) const {
  out->PutVarint(begin_);
  out->PutVarint(size());
  for (uint64_t i = begin_; i < end_; ++i) SaveRow(ring_[i & (ring_.size() - 1)], out);
  out->PutVarint(given_up_);
  out->PutVarint(aside_.size());
  for (const auto& [number, row] : aside_) SaveRow(row, out);
}

void PendingRows::Load(ByteReader* in) {
  const uint64_t begin = in->GetVarint(), waiting = in->GetCount();
  begin_ = end_ = begin;
  while (ring_.size() < waiting) Grow();
  end_ = begin + waiting;
  for (uint64_t i = begin_; i < end_; ++i) ring_[i & (ring_.size() - 1)] = LoadRow(in);
  given_up_ = in->GetVarint();
  const uint64_t count = in->GetCount();
  for (uint64_t i = 0; i < count; ++i) {
    PendingRow row = LoadRow(in);
    aside_.emplace(row.row, std::move(row));
  }
}

bool PendingRows::Fits(size_t members, size_t outputs, size_t features, const std::function<bool(double)>& is_outcome) const {
  const auto fits = [&](const PendingRow& row) {
    const bool named = std::all_of(row.members.begin(), row.members.end(), [&](uint32_t m) { return m >= 1 && m <= members; });
    return named && (row.history || !row.members.empty()) && (!row.known() || is_outcome(row.truth)) &&
           row.predictions.size() == row.members.size() * outputs && row.features.size() == features;
  };
  for (uint64_t i = begin_; i < end_; ++i)
    if (!fits(ring_[i & (ring_.size() - 1)])) return false;
  return std::all_of(aside_.begin(), aside_.end(), [&](const auto& row) { return fits(row.second); });
}

}  // namespace everlearn
