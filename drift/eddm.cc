// eddm: watches the number of rows between two errors of a model. While it learns, they lie farther and farther apart; a change is noticed
// where mean + 2 deviations of the distance have fallen below 90% of their largest value, 95% warns. Made for slow changes; at small error
// rates it needs long to begin, and on steady data it raises an alarm every few thousand rows.
//
// Baena-García, del Campo-Ávila, Fidalgo, Bifet, Gavaldà & Morales-Bueno, Early drift detection method (2006): after 30 errors. Forgets
// everything with an alarm.
#include <cmath>

#include "drift/drift_detector.h"

namespace everlearn {
namespace {

constexpr uint64_t kLeastErrors = 30;
constexpr double kWarning = 0.95, kAlarm = 0.9;  // of the largest distance

class Eddm final : public DriftDetector {
 public:
  bool Add(double value) override {
    if (!std::isfinite(value)) return false;
    ++since_error_;
    if (!(value > 0)) return false;
    const auto distance = static_cast<double>(since_error_);
    since_error_ = 0;
    ++errors_;
    const double from_mean = distance - mean_;
    mean_ += from_mean / static_cast<double>(errors_);
    squares_ += from_mean * (distance - mean_);
    warning_ = false;
    if (errors_ < kLeastErrors) return false;
    const double reach = mean_ + 2 * std::sqrt(squares_ / static_cast<double>(errors_));
    if (reach > largest_) {
      largest_ = reach;
    } else if (reach < kAlarm * largest_) {
      *this = Eddm();
      return true;
    }
    warning_ = reach < kWarning * largest_;
    return false;
  }

  bool warning() const override { return warning_; }

  void Save(ByteWriter* out) const override {
    out->Put(since_error_);
    out->Put(errors_);
    out->Put(mean_);
    out->Put(squares_);
    out->Put(largest_);
    out->Put(warning_);
  }

  void Load(ByteReader* in) override {
    since_error_ = in->Get<uint64_t>();
    errors_ = in->Get<uint64_t>();
    mean_ = in->Get<double>();
    squares_ = in->Get<double>();
    largest_ = in->Get<double>();
    warning_ = in->Get<bool>();
    if (!std::isfinite(mean_) || !std::isfinite(squares_) || !std::isfinite(largest_) || squares_ < 0)
      throw Error(ErrorKind::kDamaged, "a stored state of the detector eddm is wrong");
  }

 private:
  uint64_t since_error_ = 0;  // rows
  uint64_t errors_ = 0;
  double mean_ = 0, squares_ = 0;  // of the distances (Welford)
  double largest_ = 0;
  bool warning_ = false;
};

const bool registered =
    Detectors().Add("eddm", {.summary = "Errors that lie closer together than they did; for slow changes, with many false alarms.",
                             .paper = "Baena-García et al., Early drift detection method (2006)",
                             .errors_only = true,
                             .false_alarm_rows = 300,
                             .make = [] { return std::make_unique<Eddm>(); }});

}  // namespace
}  // namespace everlearn
