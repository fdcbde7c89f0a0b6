// kswin: compares the newest 30 of the last 100 values with 30 drawn from the older 70 by the Kolmogorov–Smirnov distance. Notices changes
// of any kind in a distribution of numbers (mean, spread, shape), soon, where they are large; small ones never.
//
// Raab, Heusinger & Schleif, Reactive soft prototype computing for concept drift streams (2020): an alarm where the distance exceeds
// √(−ln α / 30), α = 0.0001. With an alarm only the newest 30 values are kept.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "drift/drift_detector.h"

namespace everlearn {
namespace {

constexpr size_t kWindow = 100, kNewest = 30;
constexpr double kAlpha = 0.0001;
constexpr uint64_t kSeed = 1;

using Sample = std::array<double, kNewest>;

// Largest difference of the two empirical distribution functions.
double KolmogorovSmirnovDistance(Sample a, Sample b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  size_t i = 0, j = 0, largest = 0;
  while (i < kNewest && j < kNewest) {
    const double value = std::min(a[i], b[j]);
    while (i < kNewest && a[i] == value) ++i;
    while (j < kNewest && b[j] == value) ++j;
    largest = std::max(largest, i > j ? i - j : j - i);
  }
  return static_cast<double>(largest) / kNewest;
}

class Kswin final : public DriftDetector {
 public:
  bool Add(double value) override {
    if (!std::isfinite(value)) return false;
    if (count_ == kWindow) std::move(values_.begin() + 1, values_.end(), values_.begin());
    count_ = std::min(count_ + 1, kWindow);
    values_[count_ - 1] = value;
    ++rows_;
    if (count_ < kWindow) return false;
    static const double threshold = std::sqrt(-std::log(kAlpha) / kNewest);
    if (KolmogorovSmirnovDistance(Newest(), OfTheOlder()) <= threshold) return false;
    std::move(values_.end() - kNewest, values_.end(), values_.begin());
    count_ = kNewest;
    return true;
  }

  void Save(ByteWriter* out) const override {
    out->Put(rows_);
    out->PutAll(std::span<const double>(values_).first(count_));
  }

  void Load(ByteReader* in) override {
    rows_ = in->Get<uint64_t>();
    const auto values = in->GetAll<double>();
    if (values.size() > kWindow || !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
      throw Error(ErrorKind::kDamaged, "a stored state of the detector kswin is wrong");
    count_ = values.size();
    std::copy(values.begin(), values.end(), values_.begin());
  }

 private:
  Sample Newest() const {
    Sample sample;
    std::copy(values_.end() - kNewest, values_.end(), sample.begin());
    return sample;
  }

  // Drawn without replacement; the draw depends on the number of the row alone.
  Sample OfTheOlder() const {
    std::array<double, kWindow - kNewest> older;
    std::copy(values_.begin(), values_.end() - kNewest, older.begin());
    Random random = Random::Derive(kSeed, rows_);
    Sample sample;
    for (size_t i = 0; i < kNewest; ++i) {
      std::swap(older[i], older[i + random.Below(older.size() - i)]);
      sample[i] = older[i];
    }
    return sample;
  }

  std::array<double, kWindow> values_{};  // the oldest first
  size_t count_ = 0;
  uint64_t rows_ = 0;
};

const bool registered =
    Detectors().Add("kswin", {.summary = "The newest values against older ones by the Kolmogorov–Smirnov distance; any large change.",
                              .paper = "Raab, Heusinger & Schleif, Reactive soft prototype computing for concept drift streams (2020)",
                              .false_alarm_rows = 1000,
                              .make = [] { return std::make_unique<Kswin>(); }});

}  // namespace
}  // namespace everlearn
