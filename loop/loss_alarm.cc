#include "loop/loss_alarm.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

// Losses are clipped at so many standard deviations of a block above the reference.
constexpr double kClip = 4;
// A rise by half as many again is what the beginning of a change is found for best.
constexpr double kAllowance = 0.25;

}  // namespace

bool LossAlarm::AddBlock(double mean, uint64_t rows, uint64_t first_row) {
  if (scale_ <= 0) {
    ++blocks_;
    rows_ += rows;
    const double before = mean - mean_;
    mean_ += before / static_cast<double>(blocks_);
    spread_ += before * (mean - mean_);
    if (rows_ < kWarmUpRows || blocks_ < kWarmUpBlocks) return false;
    const double deviation = std::sqrt(spread_ / static_cast<double>(blocks_ - 1));
    // A loss that never varied: any other is news.
    scale_ = deviation > 0 ? kClip * deviation : std::max(std::abs(mean_), 1e-9);
    level_ = mean_ + 2 * deviation / std::sqrt(static_cast<double>(blocks_));
    change_row_ = first_row;
    return false;
  }
  const double x = std::clamp((mean - level_) / scale_, -1.0, 1.0);
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
  return detector_.Value() >= kBlocksApart;
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

double LossAlarm::recent() const { return since_blocks_ == 0 ? mean_ : since_sum_ / static_cast<double>(since_blocks_); }

void LossAlarm::Save(ByteWriter* out) const {
  for (const uint64_t count : {block_informed_, block_rows_, block_row_, blocks_, rows_, change_row_, since_blocks_}) out->Put(count);
  for (const double value : {block_sum_, mean_, spread_, level_, scale_, sum_, lowest_, since_sum_}) out->Put(value);
  detector_.Save(out);
}

void LossAlarm::Load(ByteReader* in) {
  for (uint64_t* count : {&block_informed_, &block_rows_, &block_row_, &blocks_, &rows_, &change_row_, &since_blocks_})
    *count = in->Get<uint64_t>();
  for (double* value : {&block_sum_, &mean_, &spread_, &level_, &scale_, &sum_, &lowest_, &since_sum_}) *value = in->Get<double>();
  detector_.Load(in);
}

}  // namespace everlearn
