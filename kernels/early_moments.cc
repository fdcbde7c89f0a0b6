#include "kernels/early_moments.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr uint64_t kFirstLook = 30;
constexpr double kAbsurdRatio = 400;  // of variances
constexpr double kLeastKnown = 10;    // values of the newest half

}  // namespace

bool EarlyMoments::AddEarly(const MomentArrays& moments, const double* values) {
  for (size_t j = 0; j < halves_.size(); ++j) {
    if (std::isnan(values[j])) continue;
    const double value = std::clamp(values[j], -kLargestStreamValue, kLargestStreamValue);
    Half& half = halves_[j];
    const double from_mean = value - half.mean;
    half.count += 1;
    half.mean += from_mean / half.count;
    half.squares += from_mean * (value - half.mean);
    half.low = std::min(half.low, value);
    half.high = std::max(half.high, value);
  }
  ++rows_;
  const bool looks = rows_ % kFirstLook == 0 && (rows_ / kFirstLook & (rows_ / kFirstLook - 1)) == 0;
  return looks && Look(moments);
}

bool EarlyMoments::Look(const MomentArrays& moments) {
  bool made = false;
  for (size_t j = 0; j < halves_.size(); ++j) {
    const Half& half = halves_[j];
    if (half.count < kLeastKnown || !(half.squares > 0) || !(moments.count[j] > half.count)) continue;
    const double newest = half.squares / half.count;
    if (!(moments.squares[j] / moments.count[j] > kAbsurdRatio * newest)) continue;
    moments.count[j] = half.count;
    moments.mean[j] = half.mean;
    moments.squares[j] = half.squares;
    moments.deviation[j] = std::sqrt(newest) > 1e-100 ? std::sqrt(newest) : 1.0;
    made = true;
  }
  made_ = halves_;
  std::fill(halves_.begin(), halves_.end(), Half{});
  return made;
}

void EarlyMoments::Save(ByteWriter* out) const {
  out->Put(rows_);
  out->PutAll(halves_);
}

void EarlyMoments::Load(ByteReader* in) {
  rows_ = in->Get<uint64_t>();
  const size_t columns = halves_.size();
  halves_ = in->GetAll<Half>();
  const bool holds = halves_.size() == columns && rows_ <= kRows && std::all_of(halves_.begin(), halves_.end(), [](const Half& half) {
                       return half.count >= 0 && std::isfinite(half.mean) && half.squares >= 0 && std::isfinite(half.squares);
                     });
  if (!holds) throw Error(ErrorKind::kDamaged, "a stored state of early moments does not fit its columns");
}

}  // namespace everlearn
