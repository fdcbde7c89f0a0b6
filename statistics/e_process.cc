#include "statistics/e_process.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace everlearn {
namespace {

// Between two rescalings wealth changes by at most 2^±(64 × 3.4), far from the limits of a double.
constexpr uint64_t kRescaleRows = 64;

// x × 2^exponent; 0 where that is too small to show beside the term of scale 1 that it is added to, as subnormal numbers are slow.
double Scale(double x, int64_t exponent) {
  return exponent < -900 ? 0 : std::ldexp(x, static_cast<int>(std::min<int64_t>(exponent, 2000)));
}

}  // namespace

void EProcess::Add(double x) {
  if (std::has_single_bit(++rows_)) Start();
  x = x > 1 ? 1 : x < -1 ? -1 : x == x ? x : 0;
  for (size_t b = 0; b < kBets; ++b) wealth_[b] *= 1 + kBetSizes[b] * x;
  if (rows_ % kRescaleRows == 0) Rescale();
}

void EProcess::Start() {
  ++starts_;
  const double weight = 6 / (std::numbers::pi * std::numbers::pi * static_cast<double>(starts_ * starts_));
  waiting_ -= weight;
  Rescale();
  for (size_t b = 0; b < kBets; ++b) {
    // Wealth below one is brought to the scale of the weight, which would overflow in its own.
    const int64_t exponent = std::max<int64_t>(exponents_[b], 0);
    wealth_[b] = Scale(wealth_[b], exponents_[b] - exponent) + Scale(weight, -exponent);
    exponents_[b] = exponent;
  }
  Rescale();
}

// Powers of two only: nothing is rounded.
void EProcess::Rescale() {
  exponent_ = 0;
  for (size_t b = 0; b < kBets; ++b) {
    int shift = 0;
    wealth_[b] = std::frexp(wealth_[b], &shift);
    exponents_[b] += shift;
    exponent_ = std::max(exponent_, exponents_[b]);
  }
  for (size_t b = 0; b < kBets; ++b) shares_[b] = Scale(1.0 / kBets, exponents_[b] - exponent_);
}

double EProcess::ScaledValue() const {
  double sum = exponent_ == 0 ? waiting_ : Scale(waiting_, -exponent_);
  for (size_t b = 0; b < kBets; ++b) sum += shares_[b] * wealth_[b];
  return sum;
}

double EProcess::LogValue() const { return std::log(ScaledValue()) + static_cast<double>(exponent_) * std::numbers::ln2; }

double EProcess::Value() const { return exponent_ == 0 ? ScaledValue() : Scale(ScaledValue(), exponent_); }

void EProcess::Save(ByteWriter* out) const {
  out->Put(rows_);
  out->Put(starts_);
  out->Put(waiting_);
  out->Put(wealth_);
  out->Put(exponents_);
  out->Put(shares_);
  out->Put(exponent_);
}

void EProcess::Load(ByteReader* in) {
  rows_ = in->Get<uint64_t>();
  starts_ = in->Get<uint64_t>();
  waiting_ = in->Get<double>();
  wealth_ = in->Get<decltype(wealth_)>();
  exponents_ = in->Get<decltype(exponents_)>();
  shares_ = in->Get<decltype(shares_)>();
  exponent_ = in->Get<int64_t>();
}

}  // namespace everlearn
