// The loss of one prediction that a test compares: the metric's own, or log-loss / squared error where it has none; bounded.
//
// Plain values, immutable once made. The bound is fixed before a test begins (design.md, Evidence).
#pragma once

#include <string>

#include "base/bytes.h"
#include "evaluation/metric.h"

namespace everlearn {

class RowLoss {
 public:
  // No loss counts as more, so that sums of losses and of their squares stay finite.
  static constexpr double kMost = 1e100;

  // `metric` is registered (throws kUsage).
  RowLoss(const std::string& metric, size_t classes);

  // Log-loss holds probabilities inside [epsilon, 1 − epsilon].
  double Of(const double* prediction, double truth, double epsilon) const;

  // Losses differ by at most this; 0 for regression, whose differences are clipped instead.
  double Range(double epsilon) const;
  bool bounded() const { return classes_ > 0; }
  bool is_zero_one() const { return zero_one_; }  // 1 for a class that is not the predicted one, else 0
  // The metric whose loss it is: the given one, or the one that stands in for it.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  const Metric* metric_;
  size_t classes_;
  bool log_loss_, zero_one_;
};

}  // namespace everlearn
