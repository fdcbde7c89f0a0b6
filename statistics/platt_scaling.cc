#include "statistics/platt_scaling.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr double kKeep = 1 - 1.0 / 5000;  // of what is known, at each outcome
constexpr double kEpsilon = 1e-6;         // stated probabilities beyond it say no more
constexpr double kMostSlope = 10, kMostOffset = 30;

double LogOdds(double p) {
  const double inside = std::clamp(p, kEpsilon, 1 - kEpsilon);
  return std::log(inside / (1 - inside));
}

}  // namespace

double PlattScaling::Of(double p) const { return OfLogOdds(LogOdds(p)); }

void PlattScaling::Add(double p, bool happened) { AddLogOdds(LogOdds(p), happened); }

double PlattScaling::OfLogOdds(double x) const { return 1 / (1 + std::exp(-(slope_ * x + offset_))); }

void PlattScaling::AddLogOdds(double x, bool happened) {
  const double q = OfLogOdds(x);
  const double gradient = q - (happened ? 1.0 : 0.0), curvature = q * (1 - q);
  // The prior is not forgotten: the curvature never vanishes.
  slope_slope_ = kPrior + kKeep * (slope_slope_ - kPrior) + curvature * x * x;
  slope_offset_ = kKeep * slope_offset_ + curvature * x;
  offset_offset_ = kPrior + kKeep * (offset_offset_ - kPrior) + curvature;
  const double determinant = slope_slope_ * offset_offset_ - slope_offset_ * slope_offset_;
  slope_ -= gradient * (offset_offset_ * x - slope_offset_) / determinant;
  offset_ -= gradient * (slope_slope_ - slope_offset_ * x) / determinant;
  slope_ = std::clamp(slope_, -kMostSlope, kMostSlope);
  offset_ = std::clamp(offset_, -kMostOffset, kMostOffset);
}

void PlattScaling::Save(ByteWriter* out) const {
  for (const double field : {slope_, offset_, slope_slope_, slope_offset_, offset_offset_}) out->Put(field);
}

void PlattScaling::Load(ByteReader* in) {
  for (double* field : {&slope_, &offset_, &slope_slope_, &slope_offset_, &offset_offset_}) *field = in->Get<double>();
  const bool fits = std::abs(slope_) <= kMostSlope && std::abs(offset_) <= kMostOffset && slope_slope_ >= kPrior &&
                    offset_offset_ >= kPrior && slope_slope_ * offset_offset_ - slope_offset_ * slope_offset_ >= kPrior;
  if (!fits || !std::isfinite(slope_slope_ * offset_offset_)) throw Error(ErrorKind::kDamaged, "a stored calibration is damaged");
}

}  // namespace everlearn
