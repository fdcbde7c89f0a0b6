#include "statistics/confidence_sequence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace everlearn {
namespace {

// Slopes λ_k = 2^-k with weights w_k = 6/(π²k²); the best slope is near the root of 1 / variance, so these serve up to 10^16 rows.
constexpr int kSlopes = 27;

struct Line {
  double slope;
  double penalty;    // −ln(w) / λ
  double steepness;  // ψ(λ) / λ, ψ(λ) = −ln(1 − λ) − λ
};

std::array<Line, kSlopes> MakeLines() {
  std::array<Line, kSlopes> lines;
  for (int k = 1; k <= kSlopes; ++k) {
    const double slope = std::ldexp(1.0, -k);
    const double log_weight = std::log(6 / (std::numbers::pi * std::numbers::pi * k * k));
    lines[k - 1] = {slope, -log_weight / slope, (-std::log1p(-slope) - slope) / slope};
  }
  return lines;
}

// What |sum − its expectation| of values in a range of length 1 exceeds at any time with probability ≤ alpha: for each λ in (0, 1),
// exp(λ (sum − expectation) − ψ(λ) variance) has mean ≤ 1 at any stopping time (Fan, Grama & Liu 2015), and so on the other side.
double Boundary(double variance, double alpha) {
  static const std::array<Line, kSlopes> lines = MakeLines();
  const double log_odds = std::log(2 / alpha);
  double best = std::numeric_limits<double>::infinity();
  for (const Line& line : lines) best = std::min(best, log_odds / line.slope + line.penalty + line.steepness * variance);
  return best;
}

// The row where the asymptotic sequence is tightest.
constexpr double kTightestRow = 2000;

}  // namespace

void BoundedMeanSequence::Add(double x) {
  const double unit = std::isnan(x) ? 0.5 : (std::clamp(x, low_, high_) - low_) / (high_ - low_);
  const double expected = (0.5 + sum_) / static_cast<double>(rows_ + 1);
  variance_ += (unit - expected) * (unit - expected);
  sum_ += unit;
  ++rows_;
}

Interval BoundedMeanSequence::Get() const {
  if (rows_ == 0) return {(low_ + high_) / 2, low_, high_};
  const double rows = static_cast<double>(rows_), range = high_ - low_;
  const double mean = low_ + range * (sum_ / rows);
  const double radius = range * Boundary(variance_, alpha_) / rows;
  return {mean, std::max(low_, mean - radius), std::min(high_, mean + radius)};
}

void BoundedMeanSequence::Save(ByteWriter* out) const {
  for (const double field : {low_, high_, alpha_, sum_, variance_}) out->Put(field);
  out->Put(rows_);
}

void BoundedMeanSequence::Load(ByteReader* in) {
  for (double* field : {&low_, &high_, &alpha_, &sum_, &variance_}) *field = in->Get<double>();
  rows_ = in->Get<uint64_t>();
}

void AsymptoticMeanSequence::Add(double x) {
  ++rows_;
  const double step = x - mean_;
  mean_ += step / static_cast<double>(rows_);
  spread_ += step * (x - mean_);
}

Interval AsymptoticMeanSequence::Get() const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (rows_ < kFirstRow || !(spread_ > 0)) return {rows_ == 0 ? 0 : mean_, -kInfinity, kInfinity};
  const double rows = static_cast<double>(rows_);
  const double radius = Radius(spread_ / rows, rows, alpha_);
  return {mean_, mean_ - radius, mean_ + radius};
}

double AsymptoticMeanSequence::Radius(double variance, double rows, double alpha) {
  const double log_alpha = -2 * std::log(alpha);
  const double rho_squared = (log_alpha + std::log(log_alpha) + 1) / kTightestRow;
  const double scale = rows * rho_squared + 1;
  return std::sqrt(variance * 2 * scale / (rows * rows * rho_squared) * std::log(std::sqrt(scale) / alpha));
}

void AsymptoticMeanSequence::Save(ByteWriter* out) const {
  for (const double field : {alpha_, mean_, spread_}) out->Put(field);
  out->Put(rows_);
}

void AsymptoticMeanSequence::Load(ByteReader* in) {
  for (double* field : {&alpha_, &mean_, &spread_}) *field = in->Get<double>();
  rows_ = in->Get<uint64_t>();
}

}  // namespace everlearn
