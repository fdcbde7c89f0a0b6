// Notices that the mean of a loss in [0, 1] has risen, and raises false alarms as seldom as asked: on steady data the mean number of rows
// until an alarm is at least the one asked for, whatever the distribution and the number of rows.
//
// The e-detector of Shin, Ramdas & Rinaldo (E-detectors, 2023) against the hypothesis that the mean is at most an upper bound b of it,
// which is learnt from the stream: after n = 100, 200, 400, … rows b is where n·kl(mean, b) = ln(1/δₙ) (Chernoff and Hoeffding: the mean of
// n independent losses of mean m lies so far below m with a probability of at most δₙ). The δₙ sum to δ = 1/2, and the threshold is
// asked / (1 − δ). Why this holds: up to the first row N at which a bound is wrong, sum Mₜ − t is a supermartingale, so the alarm time T
// has E[min(T, N)] ≥ E[M at min(T, N)] ≥ threshold · P(T ≤ N), and P(N < T) ≤ δ; hence E[T] ≥ threshold · (1 − δ). Independent losses of
// one mean are asked for before the change, nothing after it.
#pragma once

#include "drift/drift_detector.h"
#include "statistics/e_detector.h"

namespace everlearn {

class LossEDetector final : public DriftDetector {
 public:
  // At least this many rows between false alarms, in the mean; above 1.
  explicit LossEDetector(double rows_between_false_alarms = 10'000) : asked_(rows_between_false_alarms) {}

  // Values are held inside [0, 1]. Forgets everything with an alarm.
  bool Add(double value) override;
  void Save(ByteWriter* out) const override;
  void Load(ByteReader* in) override;
  // That the mean is not above, so far as is known; 1 at first.
  double bound() const { return bound_; }

 private:
  double asked_;
  uint64_t rows_ = 0, next_bound_ = 0;
  int bounds_ = 0;  // made so far
  double sum_ = 0, bound_ = 1;
  EDetector detector_;
};

}  // namespace everlearn
