#include "statistics/quantile_tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace everlearn {
namespace {

constexpr size_t kFirst = 30;          // scores from which the first threshold is taken
constexpr double kLevelStep = 0.002;   // of the level, for an announced threshold that was exceeded
constexpr double kForget = 1.0 / 200;  // part of the usual score that each one replaces
constexpr double kMostScales = 100;    // a score counts as at most so many usual ones

}  // namespace

void QuantileTracker::Add(double score, double announced) {
  if (std::isfinite(announced)) {
    ++rows_;
    covered_ += score <= announced;
    // At most twice, at least a hundredth of the misses that are asked for: so an error in the past cannot push for long.
    const double missed = 1.0 - coverage_;
    level_ = std::clamp(level_ + kLevelStep * ((score > announced ? 1.0 : 0.0) - missed), 1.0 - 2 * missed, 1.0 - missed / 100);
  }
  if (first_.size() < kFirst) {
    first_.push_back(score);
    if (first_.size() < kFirst) return;
    std::vector<double> sorted = first_;
    std::sort(sorted.begin(), sorted.end());
    // The conformal quantile: the ⌈(n + 1) · coverage⌉-th smallest.
    const auto rank = static_cast<size_t>(std::ceil(static_cast<double>(kFirst + 1) * coverage_));
    threshold_ = sorted[std::min(rank, kFirst) - 1];
    for (const double first : sorted) scale_ += first / static_cast<double>(kFirst);
    return;
  }
  threshold_ = std::max(0.0, threshold_ + step_ * scale_ * ((score > threshold_ ? 1.0 : 0.0) - (1.0 - level_)));
  const double counted = scale_ > 0 ? std::min(score, kMostScales * scale_) : score;
  scale_ += kForget * (counted - scale_);
}

double QuantileTracker::Get() const { return first_.size() < kFirst ? std::numeric_limits<double>::quiet_NaN() : threshold_; }

void QuantileTracker::Save(ByteWriter* out) const {
  for (const double field : {coverage_, level_, threshold_, scale_}) out->Put(field);
  out->PutAll(first_);
  out->Put(rows_);
  out->Put(covered_);
}

void QuantileTracker::Load(ByteReader* in) {
  for (double* field : {&coverage_, &level_, &threshold_, &scale_}) *field = in->Get<double>();
  first_ = in->GetAll<double>();
  rows_ = in->Get<uint64_t>();
  covered_ = in->Get<uint64_t>();
}

}  // namespace everlearn
