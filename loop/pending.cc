#include "loop/pending.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>

namespace everlearn {
namespace {

void SaveRow(const PendingRow& row, ByteWriter* out) {
  out->PutVarint(row.row);
  out->Put(row.time);
  out->Put(row.informed);
  out->PutVarint(row.settled);
  out->Put(row.no_change);
  out->Put(row.truth);
  out->Put(row.half_width);
  out->Put(row.estimated_loss);
  out->Put(row.estimated_accuracy);
  out->Put(row.history);
  out->PutAll(row.members);
  out->PutAll(row.predictions);
  out->PutAll(row.parties);
  out->PutAll(row.features);
}

PendingRow LoadRow(ByteReader* in) {
  PendingRow row;
  row.row = in->GetVarint();
  row.time = in->Get<int64_t>();
  row.informed = in->Get<uint64_t>();
  row.settled = in->GetVarint();
  row.no_change = in->Get<double>();
  row.truth = in->Get<double>();
  row.half_width = in->Get<double>();
  row.estimated_loss = in->Get<double>();
  row.estimated_accuracy = in->Get<double>();
  row.history = in->Get<bool>();
  row.members = in->GetAll<uint32_t>();
  row.predictions = in->GetAll<double>();
  row.parties = in->GetAll<double>();
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

void PendingRows::BeforeChange(const PendingRow& row) {
  if (!saving_ || row.row < saving_->next || row.row >= saving_->end) return;
  if (saving_->saved.insert(row.row).second) SaveRow(row, &saving_->rows);
}

PendingRow* PendingRows::Find(uint64_t row) {
  PendingRow* found = nullptr;
  if (row >= begin_ && row < end_) {
    found = &ring_[row & (ring_.size() - 1)];
  } else if (const auto aside = aside_.find(row); aside != aside_.end()) {
    found = &aside->second;
  }
  if (found != nullptr) BeforeChange(*found);
  return found;
}

void PendingRows::PopFront() {
  BeforeChange(Front());
  ++begin_;
}

void PendingRows::SetFrontAside() {
  if (aside_.size() >= most_aside_) {
    BeforeChange(aside_.begin()->second);
    aside_.erase(aside_.begin());
    ++given_up_;
  }
  aside_.emplace(Front().row, Front());
  ++begin_;
}

size_t PendingRows::CountOpen() const {
  size_t open = aside_.size();
  for (uint64_t row = begin_; row < end_; ++row) open += ring_[row & (ring_.size() - 1)].known() ? 0 : 1;
  return open;
}

void PendingRows::DropAside(uint64_t row) {
  const auto found = aside_.find(row);
  if (found == aside_.end()) return;
  BeforeChange(found->second);
  aside_.erase(found);
}

void PendingRows::SaveBounds(ByteWriter* out) const {
  out->PutVarint(begin_);
  out->PutVarint(end_);
  out->PutVarint(given_up_);
}

void PendingRows::BeginSave() { saving_.emplace(end_); }

bool PendingRows::SavePart(size_t bytes, ByteWriter* out) {
  ByteWriter rows = std::move(saving_->rows);
  saving_->rows = ByteWriter();
  // Rows before the ring that still wait are aside, in the order of their numbers like those of the ring.
  auto aside = aside_.lower_bound(saving_->next);
  uint64_t& next = saving_->next;
  while (next < saving_->end && rows.size() < bytes) {
    const bool in_ring = aside == aside_.end();
    next = in_ring ? std::max(next, begin_) : aside->first;
    if (next >= saving_->end) break;
    if (!saving_->saved.contains(next)) SaveRow(in_ring ? ring_[next & (ring_.size() - 1)] : aside->second, &rows);
    ++next;
    if (!in_ring) ++aside;
  }
  const bool more = next < saving_->end;
  if (!more) saving_.reset();
  out->PutText(rows.bytes());
  return more;
}

void PendingRows::Save(ByteWriter* out) const {
  SaveBounds(out);
  ByteWriter rows;
  for (const auto& [number, row] : aside_) SaveRow(row, &rows);
  for (uint64_t i = begin_; i < end_; ++i) SaveRow(ring_[i & (ring_.size() - 1)], &rows);
  out->PutText(rows.bytes());
}

void PendingRows::LoadBounds(ByteReader* in) {
  begin_ = in->GetVarint();
  end_ = in->GetVarint();
  given_up_ = in->GetVarint();
}

void PendingRows::LoadPart(ByteReader* in) {
  const std::string bytes = in->GetText();
  for (ByteReader rows(bytes); !rows.done();) {
    PendingRow row = LoadRow(&rows);
    aside_.emplace(row.row, std::move(row));
  }
}

void PendingRows::EndLoad() {
  auto row = aside_.lower_bound(begin_);
  const auto waiting = static_cast<uint64_t>(std::distance(row, aside_.end()));
  if (begin_ > end_ || waiting != end_ - begin_ || (waiting > 0 && aside_.rbegin()->first >= end_))
    throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: it lacks rows");
  ring_.resize(std::max(ring_.size(), std::bit_ceil(waiting)));
  for (; row != aside_.end(); row = aside_.erase(row)) ring_[row->first & (ring_.size() - 1)] = std::move(row->second);
}

void PendingRows::Load(ByteReader* in) {
  LoadBounds(in);
  LoadPart(in);
  EndLoad();
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
