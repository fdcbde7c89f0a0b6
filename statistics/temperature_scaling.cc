#include "statistics/temperature_scaling.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr double kKeep = 1 - 1.0 / 5000;  // of what is known, at each outcome
constexpr double kLeast = 0.001, kMost = 20;

}  // namespace

void TemperatureScaling::Add(const double* scores, const double* probabilities, size_t classes, size_t happened) {
  double mean = 0, variance = 0;
  for (size_t k = 0; k < classes; ++k) mean += probabilities[k] * scores[k];
  for (size_t k = 0; k < classes; ++k) variance += probabilities[k] * (scores[k] - mean) * (scores[k] - mean);
  curvature_ = kPrior + kKeep * (curvature_ - kPrior) + variance;
  inverse_ = std::clamp(inverse_ - (mean - scores[happened]) / curvature_, kLeast, kMost);
}

void TemperatureScaling::Save(ByteWriter* out) const {
  out->Put(inverse_);
  out->Put(curvature_);
}

void TemperatureScaling::Load(ByteReader* in) {
  inverse_ = in->Get<double>();
  curvature_ = in->Get<double>();
  if (!(inverse_ >= kLeast && inverse_ <= kMost) || !(curvature_ >= kPrior) || !std::isfinite(curvature_))
    throw Error(ErrorKind::kDamaged, "a stored temperature is damaged");
}

}  // namespace everlearn
