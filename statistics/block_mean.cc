#include "statistics/block_mean.h"

#include <algorithm>
#include <limits>

namespace everlearn {

void BlockMeanSequence::Add(double x, uint64_t informed, uint64_t counted) {
  if (rows() == 0) shift_ = x;
  if (block_rows_ > 0 && informed > block_first_) {
    const auto n = static_cast<double>(block_rows_);
    ++blocks_;
    rows_ += block_rows_;
    sum_ += block_sum_;
    squares_ += block_sum_ * block_sum_;
    products_ += block_sum_ * n;
    row_squares_ += n * n;
    block_rows_ = 0;
    block_sum_ = 0;
  }
  if (block_rows_ == 0) block_first_ = counted;
  ++block_rows_;
  block_sum_ += x - shift_;
}

Interval BlockMeanSequence::Get() const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (rows() == 0) return {0, -kInfinity, kInfinity};
  const double mean = (sum_ + block_sum_) / static_cast<double>(rows());
  const auto blocks = static_cast<double>(blocks_), complete_rows = static_cast<double>(rows_);
  double radius = kInfinity;
  if (blocks_ >= AsymptoticMeanSequence::kFirstRow) {
    const double m = sum_ / complete_rows;
    const double variance = std::max(0.0, squares_ - 2 * m * products_ + m * m * row_squares_) / blocks;
    if (variance > 0) radius = AsymptoticMeanSequence::Radius(variance, blocks, kAlpha) * blocks / complete_rows;
  }
  return {shift_ + mean, shift_ + mean - radius, shift_ + mean + radius};
}

void BlockMeanSequence::Save(ByteWriter* out) const {
  for (const uint64_t field : {blocks_, rows_, block_first_, block_rows_}) out->Put(field);
  for (const double field : {shift_, sum_, squares_, products_, row_squares_, block_sum_}) out->Put(field);
}

void BlockMeanSequence::Load(ByteReader* in) {
  for (uint64_t* field : {&blocks_, &rows_, &block_first_, &block_rows_}) *field = in->Get<uint64_t>();
  for (double* field : {&shift_, &sum_, &squares_, &products_, &row_squares_, &block_sum_}) *field = in->Get<double>();
}

}  // namespace everlearn
