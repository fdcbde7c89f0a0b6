// page_hinkley: notices that the mean of a value has risen: the sum of its differences to its own running mean, less a tolerance, has come
// 50 above its least. Good for abrupt rises of a loss whose size is about 1; cheap. Falls are not noticed.
//
// Page, Continuous inspection schemes, Biometrika 41 (1954); Hinkley, Inference about the change-point from cumulative sum tests,
// Biometrika 58 (1971); with the tolerance 0.005 and the threshold 50 of the stream mining software. Forgets everything with an alarm.
#include <algorithm>
#include <cmath>

#include "drift/drift_detector.h"

namespace everlearn {
namespace {

constexpr uint64_t kLeastRows = 30;
constexpr double kTolerance = 0.005, kThreshold = 50;

class PageHinkley final : public DriftDetector {
 public:
  bool Add(double value) override {
    if (!std::isfinite(value)) return false;
    ++rows_;
    mean_ += (value - mean_) / static_cast<double>(rows_);
    sum_ += value - mean_ - kTolerance;
    least_ = std::min(least_, sum_);
    if (rows_ < kLeastRows || sum_ - least_ <= kThreshold) return false;
    *this = PageHinkley();
    return true;
  }

  void Save(ByteWriter* out) const override {
    out->Put(rows_);
    out->Put(mean_);
    out->Put(sum_);
    out->Put(least_);
  }

  void Load(ByteReader* in) override {
    rows_ = in->Get<uint64_t>();
    mean_ = in->Get<double>();
    sum_ = in->Get<double>();
    least_ = in->Get<double>();
    if (!std::isfinite(mean_) || !std::isfinite(sum_) || !(least_ <= std::min(sum_, 0.0)))
      throw Error(ErrorKind::kDamaged, "a stored state of the detector page_hinkley is wrong");
  }

 private:
  uint64_t rows_ = 0;
  double mean_ = 0, sum_ = 0, least_ = 0;
};

const bool registered =
    Detectors().Add("page_hinkley", {.summary = "A mean that rose, by the cumulative sum of differences; for abrupt rises of a loss.",
                                     .paper = "Page, Continuous inspection schemes, Biometrika 41 (1954); Hinkley, Inference about the "
                                              "change-point from cumulative sum tests, Biometrika 58 (1971)",
                                     .false_alarm_rows = 1000,
                                     .make = [] { return std::make_unique<PageHinkley>(); }});

}  // namespace
}  // namespace everlearn
