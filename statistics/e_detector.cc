#include "statistics/e_detector.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace everlearn {

void EDetector::Add(double x) {
  ++rows_;
  x = x > 1 ? 1 : x < -1 ? -1 : x == x ? x : 0;
  // Held down where it would overflow, which can only delay an alarm.
  for (size_t b = 0; b < kBets; ++b) sums_[b] = std::min((sums_[b] + 1) * (1 + kBetSizes[b] * x), 1e300);
}

double EDetector::Value() const { return std::accumulate(sums_.begin(), sums_.end(), 0.0) / kBets; }

void EDetector::Save(ByteWriter* out) const {
  out->Put(rows_);
  out->Put(sums_);
}

void EDetector::Load(ByteReader* in) {
  rows_ = in->Get<uint64_t>();
  sums_ = in->Get<decltype(sums_)>();
  if (!std::all_of(sums_.begin(), sums_.end(), [](double sum) { return sum >= 0 && std::isfinite(sum); }))
    throw Error(ErrorKind::kDamaged, "the sums of a stored e-detector are none");
}

}  // namespace everlearn
