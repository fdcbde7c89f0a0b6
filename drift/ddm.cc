// ddm: watches the error rate of a model. While it learns, its error rate p falls and so does the deviation s = √(p(1 − p)/n); an error
// rate that has risen by three deviations above the least seen says that the concept has changed, one by two warns. Good for abrupt
// changes; slow ones are found late, and the longer the steady time before, the slower it is.
//
// Gama, Medas, Castillo & Rodrigues, Learning with drift detection (2004). It needs 30 rows, as in the paper, and an error among them:
// without one, s is 0 and the first would be an alarm. Forgets everything with an alarm.
#include <cmath>

#include "drift/drift_detector.h"

namespace everlearn {
namespace {

constexpr uint64_t kLeastRows = 30;
constexpr double kWarning = 2, kAlarm = 3;  // deviations above the least

class Ddm final : public DriftDetector {
 public:
  bool Add(double value) override {
    if (!std::isfinite(value)) return false;
    ++rows_;
    errors_ += value > 0 ? 1 : 0;
    warning_ = false;
    if (rows_ < kLeastRows || errors_ == 0) return false;
    const double n = static_cast<double>(rows_), rate = static_cast<double>(errors_) / n, deviation = std::sqrt(rate * (1 - rate) / n);
    if (rate + deviation <= least_rate_ + least_deviation_) {
      least_rate_ = rate;
      least_deviation_ = deviation;
    }
    if (rate + deviation > least_rate_ + kAlarm * least_deviation_) {
      *this = Ddm();
      return true;
    }
    warning_ = rate + deviation > least_rate_ + kWarning * least_deviation_;
    return false;
  }

  bool warning() const override { return warning_; }

  void Save(ByteWriter* out) const override {
    out->Put(rows_);
    out->Put(errors_);
    out->Put(least_rate_);
    out->Put(least_deviation_);
    out->Put(warning_);
  }

  void Load(ByteReader* in) override {
    rows_ = in->Get<uint64_t>();
    errors_ = in->Get<uint64_t>();
    least_rate_ = in->Get<double>();
    least_deviation_ = in->Get<double>();
    warning_ = in->Get<bool>();
    if (errors_ > rows_ || !(least_rate_ >= 0 && least_rate_ <= 1) || !(least_deviation_ >= 0 && least_deviation_ <= 1))
      throw Error(ErrorKind::kDamaged, "a stored state of the detector ddm is wrong");
  }

 private:
  uint64_t rows_ = 0, errors_ = 0;
  double least_rate_ = 1, least_deviation_ = 1;
  bool warning_ = false;
};

const bool registered =
    Detectors().Add("ddm", {.summary = "An error rate that rose by three deviations above its least; for abrupt changes.",
                            .paper = "Gama, Medas, Castillo & Rodrigues, Learning with drift detection (2004)",
                            .errors_only = true,
                            .false_alarm_rows = 1000,
                            .make = [] { return std::make_unique<Ddm>(); }});

}  // namespace
}  // namespace everlearn
