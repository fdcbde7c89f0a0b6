#include "drift/e_detector.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr uint64_t kFirstBound = 100;  // rows
constexpr double kDelta = 0.5;         // of all bounds together

// Divergence of two coins with mean p and q, 0 ≤ p ≤ q < 1.
double CoinDivergence(double p, double q) {
  const double heads = p > 0 ? p * std::log(p / q) : 0.0;
  const double tails = p < 1 ? (1 - p) * std::log((1 - p) / (1 - q)) : 0.0;
  return heads + tails;
}

// The b ≥ mean with rows · kl(mean, b) = log_odds, from above.
double UpperBound(double mean, double rows, double log_odds) {
  double low = mean, high = 1;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (rows * CoinDivergence(mean, middle) < log_odds ? low : high) = middle;
  }
  return high;
}

}  // namespace

bool LossEDetector::Add(double value) {
  if (!std::isfinite(value)) return false;
  const double loss = std::clamp(value, 0.0, 1.0);
  if (bounds_ > 0) detector_.Add(loss - bound_);
  ++rows_;
  sum_ += loss;
  if (detector_.Value() >= asked_ / (1 - kDelta)) {
    *this = LossEDetector(asked_);
    return true;
  }
  if (rows_ == std::max(next_bound_, kFirstBound)) {
    ++bounds_;
    next_bound_ = 2 * rows_;
    const double mean = std::min(sum_ / static_cast<double>(rows_), 1.0);
    bound_ = UpperBound(mean, static_cast<double>(rows_), -std::log(std::ldexp(kDelta, -bounds_)));
  }
  return false;
}

void LossEDetector::Save(ByteWriter* out) const {
  out->Put(asked_);
  out->Put(rows_);
  out->Put(next_bound_);
  out->Put(bounds_);
  out->Put(sum_);
  out->Put(bound_);
  detector_.Save(out);
}

void LossEDetector::Load(ByteReader* in) {
  asked_ = in->Get<double>();
  rows_ = in->Get<uint64_t>();
  next_bound_ = in->Get<uint64_t>();
  bounds_ = in->Get<int>();
  sum_ = in->Get<double>();
  bound_ = in->Get<double>();
  detector_.Load(in);
  if (!(asked_ > 1) || bounds_ < 0 || bounds_ > 64 || !(sum_ >= 0) || !(sum_ <= static_cast<double>(rows_)) ||
      !(bound_ >= 0 && bound_ <= 1))
    throw Error(ErrorKind::kDamaged, "a stored state of the detector e_detector is wrong");
}

namespace {

const bool registered =
    Detectors().Add("e_detector", {.summary = "A mean loss that rose, with as few false alarms as asked: one in 10,000 rows by default.",
                                   .paper = "Shin, Ramdas & Rinaldo, E-detectors: a nonparametric framework for sequential change "
                                            "detection (2023)",
                                   .false_alarm_rows = 10'000,
                                   .make = [] { return std::make_unique<LossEDetector>(); }});

}  // namespace
}  // namespace everlearn
