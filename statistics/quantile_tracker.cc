#include "statistics/quantile_tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace everlearn {
namespace {

constexpr size_t kFirst = 30;          // scores from which the first threshold is taken
constexpr double kLevelStep = 0.002;   // of the level, for an announced threshold that was exceeded
constexpr double kForget = 1.0 / 200;  // part of the usual score that each one replaces
constexpr double kMostScore = 1e100;   // more than that is none
constexpr double kMostScales = 100;    // a score counts as at most so many usual ones

}  // namespace

void QuantileTracker::Begin(std::vector<double> scores) {
  std::erase_if(scores, [](double score) { return !(score >= 0 && score <= kMostScore); });
  if (scores.size() < kFirst) return;
  std::sort(scores.begin(), scores.end());
  const auto count = static_cast<double>(scores.size());
  // The conformal quantile: the ⌈(n + 1) · coverage⌉-th smallest.
  const auto rank = static_cast<size_t>(std::ceil((count + 1) * coverage_));
  threshold_ = scores[std::min(rank, scores.size()) - 1];
  scale_ = std::accumulate(scores.begin(), scores.end(), 0.0) / count;
  first_.resize(kFirst);
}

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
    Begin(first_);
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
