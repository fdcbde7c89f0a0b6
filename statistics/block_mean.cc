#include "statistics/block_mean.h"

#include <limits>

namespace everlearn {
namespace {

constexpr double kForget = 0.1;  // part of the mean that each block replaces

}  // namespace

void BlockMeanSequence::Add(double x, uint64_t informed, uint64_t counted) {
  if (rows() == 0) shift_ = x;
  if (block_rows_ > 0 && informed > block_first_) {
    const auto n = static_cast<double>(block_rows_);
    ++blocks_;
    rows_ += block_rows_;
    sum_ += block_sum_;
    const double distance = block_sum_ - centre_ * n;
    squares_ += distance * distance;
    centre_ += kForget * (block_sum_ / n - centre_);
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
    const double variance = squares_ / blocks;
    if (variance > 0) radius = AsymptoticMeanSequence::Radius(variance, blocks, kAlpha) * blocks / complete_rows;
  }
  return {shift_ + mean, shift_ + mean - radius, shift_ + mean + radius};
}

void BlockMeanSequence::Save(ByteWriter* out) const {
  for (const uint64_t field : {blocks_, rows_, block_first_, block_rows_}) out->Put(field);
  for (const double field : {shift_, sum_, centre_, squares_, block_sum_}) out->Put(field);
}

void BlockMeanSequence::Load(ByteReader* in) {
  for (uint64_t* field : {&blocks_, &rows_, &block_first_, &block_rows_}) *field = in->Get<uint64_t>();
  for (double* field : {&shift_, &sum_, &centre_, &squares_, &block_sum_}) *field = in->Get<double>();
}

}  // namespace everlearn
