// How the target of a stream lies so far, robust to single values: one far from all others counts as less far, and one that came among the
// first rows is forgotten once the rows after it show that it was absurd. Belongs to one thread; no allocation a row.
#pragma once

#include "base/bytes.h"
#include "kernels/early_moments.h"

namespace everlearn {

class HeldTarget {
 public:
  bool empty() const { return !(moments_.count > 0); }
  double mean() const { return moments_.mean; }
  double deviation() const { return moments_.deviation; }

  // Learns the target, and returns what it counts as.
  double Learn(double target) {
    double held = std::clamp(target, -kLargestStreamValue, kLargestStreamValue);
    const double reach = kOutlierDeviations * moments_.deviation;
    if (moments_.count >= kRowsBeforeOutliers && moments_.squares > 0)
      held = std::clamp(held, moments_.mean - reach, moments_.mean + reach);
    moments_.Add(held);
    was_absurd_ = early_.Add({&moments_.count, &moments_.mean, &moments_.squares, &moments_.deviation}, &held);
    return held;
  }
  // What lies beyond counts as this.
  double low() const { return moments_.mean - kOutlierDeviations * moments_.deviation; }
  double high() const { return moments_.mean + kOutlierDeviations * moments_.deviation; }
  // The last row showed that an older one was absurd: what was learnt of the older half of all rows is to be forgotten.
  bool was_absurd() const { return was_absurd_; }
  // Then: the newer half, from which all is counted anew; until the next row.
  const EarlyMoments::Half& newest() const { return early_.newest(0); }

  void Save(ByteWriter* out) const {
    out->Put(moments_);
    early_.Save(out);
  }
  // Throws kDamaged.
  void Load(ByteReader* in) {
    moments_ = in->Get<RunningMoments>();
    early_.Load(in);
    if (!(std::abs(moments_.mean) <= 2 * kLargestStreamValue && moments_.deviation > 0 && moments_.deviation <= 2 * kLargestStreamValue &&
          moments_.squares >= 0 && moments_.count >= 0))
      throw Error(ErrorKind::kDamaged, "the moments of a stored target are wrong");
  }

 private:
  RunningMoments moments_;
  EarlyMoments early_{1};
  bool was_absurd_ = false;
};

}  // namespace everlearn
