#include "loop/loss.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

RowLoss::RowLoss(const std::string& metric, size_t classes)
    : name_(Metrics().Get(metric).row_loss ? metric
            : classes > 0                  ? "log_loss"
                                           : "rmse"),
      metric_(&Metrics().Get(name_)),
      classes_(classes),
      log_loss_(name_ == "log_loss" || name_ == "d2_log_loss"),
      zero_one_(metric_ == Metrics().Find("accuracy")) {}

double RowLoss::Of(const double* prediction, double truth, double epsilon) const {
  if (!log_loss_) {
    const double loss = metric_->row_loss(prediction, truth, classes_);
    return loss <= kMost ? loss : kMost;  // also what is not a number
  }
  const double p = prediction[static_cast<size_t>(truth)];
  return -std::log(p >= epsilon ? std::min(p, 1.0 - epsilon) : epsilon);
}

double RowLoss::Range(double epsilon) const {
  if (classes_ == 0) return 0;
  // The other row losses of classification lie in [0, 2] (evaluation/metric.h).
  return log_loss_ ? std::log((1.0 - epsilon) / epsilon) : zero_one_ ? 1.0 : 2.0;
}

}  // namespace everlearn
