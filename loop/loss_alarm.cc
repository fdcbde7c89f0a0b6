#include "loop/loss_alarm.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

// Losses are clipped at so many standard deviations of a block above the reference.
constexpr double kClip = 4;
// A rise by half as many again is what the beginning of a change is found for best.
constexpr double kAllowance = 0.25;
// A fall is believed when false ones are at least so many blocks apart.
constexpr double kFallBlocksApart = 10'000;

}  // namespace

void LossAlarm::Reference::Add(double block_mean, uint64_t block_rows) {
  ++blocks;
  rows += block_rows;
  const double before = block_mean - mean;
  mean += before / static_cast<double>(blocks);
  spread += before * (block_mean - mean);
}

bool LossAlarm::Reference::possible() const { return blocks <= rows && std::isfinite(mean) && spread >= 0 && std::isfinite(spread); }

double LossAlarm::Reference::deviation() const { return std::sqrt(spread / static_cast<double>(blocks - 1)); }

double LossAlarm::Reference::margin() const { return 2 * deviation() / std::sqrt(static_cast<double>(blocks)); }

// From here on the reference stands.
void LossAlarm::Refer() {
  // A loss that never varied: any other is news.
  const double deviation = reference_.deviation();
  scale_ = deviation > 0 ? kClip * deviation : std::max(std::abs(reference_.mean), 1e-9);
  detector_.Reset();
  fall_.Reset();
  sum_ = lowest_ = since_sum_ = 0;
  since_blocks_ = 0;
}

bool LossAlarm::AddBlock(double mean, uint64_t rows, uint64_t first_row) {
  if (scale_ <= 0) {
    reference_.Add(mean, rows);
    if (!reference_.complete()) return false;
    Refer();
    change_row_ = first_row;
    return false;
  }
  const double x = std::clamp((mean - reference_.mean - reference_.margin()) / scale_, -1.0, 1.0);
  detector_.Add(x);
  sum_ += x - kAllowance / kClip;
  since_sum_ += mean;
  ++since_blocks_;
  if (sum_ < lowest_) {
    lowest_ = sum_;
    since_sum_ = 0;
    since_blocks_ = 0;
  } else if (since_blocks_ == 1) {
    change_row_ = first_row;
  }
  if (detector_.Value() >= threshold_) return true;
  if (measures_) {
    next_.Add(mean, rows);
    if (!next_.complete()) return false;
    measures_ = false;
    if (next_.mean + next_.margin() < reference_.mean - reference_.margin()) reference_ = next_;
    Refer();
    return false;
  }
  fall_.Add(std::clamp((reference_.mean - reference_.margin() - mean) / scale_, -1.0, 1.0));
  if (fall_.Value() < kFallBlocksApart) return false;
  measures_ = true;
  next_ = {};
  return false;
}

bool LossAlarm::Add(double loss, uint64_t row, uint64_t informed, uint64_t counted) {
  bool alarm = false;
  if (block_rows_ > 0 && informed > block_informed_) {
    alarm = AddBlock(block_sum_ / static_cast<double>(block_rows_), block_rows_, block_row_);
    block_rows_ = 0;
    block_sum_ = 0;
  }
  if (block_rows_ == 0) {
    block_informed_ = counted;
    block_row_ = row;
  }
  ++block_rows_;
  block_sum_ += loss;
  return alarm;
}

double LossAlarm::recent() const { return since_blocks_ == 0 ? reference_.mean : since_sum_ / static_cast<double>(since_blocks_); }

void LossAlarm::Save(ByteWriter* out) const {
  for (const uint64_t count : {block_informed_, block_rows_, block_row_, change_row_, since_blocks_}) out->Put(count);
  for (const double value : {block_sum_, scale_, sum_, lowest_, since_sum_}) out->Put(value);
  out->Put(reference_);
  out->Put(next_);
  out->Put(measures_);
  detector_.Save(out);
  fall_.Save(out);
}

void LossAlarm::Load(ByteReader* in) {
  for (uint64_t* count : {&block_informed_, &block_rows_, &block_row_, &change_row_, &since_blocks_}) *count = in->Get<uint64_t>();
  for (double* value : {&block_sum_, &scale_, &sum_, &lowest_, &since_sum_}) *value = in->Get<double>();
  reference_ = in->Get<Reference>();
  next_ = in->Get<Reference>();
  measures_ = in->Get<bool>();
  detector_.Load(in);
  fall_.Load(in);
  bool good =
      reference_.possible() && next_.possible() && scale_ >= 0 && (scale_ == 0 || reference_.complete()) && lowest_ <= 0 && lowest_ <= sum_;
  for (const double value : {block_sum_, scale_, sum_, lowest_, since_sum_}) good = good && std::isfinite(value);
  if (!good) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its alarm on the loss is none");
}

}  // namespace everlearn
