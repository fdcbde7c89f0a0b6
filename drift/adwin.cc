#include "drift/adwin.h"

#include <algorithm>
#include <cmath>

#include "drift/drift_detector.h"

namespace everlearn {
namespace {

constexpr uint64_t kLookEvery = 32;
constexpr uint64_t kLeastWidth = 10;  // of a window that is looked at
constexpr double kLeastPart = 5;      // of its two parts
constexpr size_t kMostRows = 60;      // more than 2^60 values do not come

// Sum of squares about the common mean of two parts, less those about their own.
double SquaresBetween(double n, double total, double m, double other_total) {
  const double difference = total / n - other_total / m;
  return n * m * difference * difference / (n + m);
}

}  // namespace

bool Adwin::Add(double value) {
  Insert(std::clamp(value, 0.0, 1.0));
  Merge();
  return ++values_ % kLookEvery == 0 && width_ > kLeastWidth && DropWhatDiffers();
}

void Adwin::Insert(double value) {
  if (rows_.empty()) rows_.emplace_back();
  if (width_ > 0) squares_ += SquaresBetween(static_cast<double>(width_), total_, 1, value);
  ++width_;
  total_ += value;
  rows_[0].buckets[rows_[0].count++] = {value, 0};
}

void Adwin::Merge() {
  for (size_t i = 0; i < rows_.size() && rows_[i].count > kBuckets; ++i) {
    if (i + 1 == rows_.size()) rows_.emplace_back();
    Row &row = rows_[i], &next = rows_[i + 1];
    const Bucket &a = row.buckets[0], &b = row.buckets[1];
    const double size = std::ldexp(1.0, static_cast<int>(i));
    next.buckets[next.count++] = {a.total + b.total, a.squares + b.squares + SquaresBetween(size, a.total, size, b.total)};
    row.count -= 2;
    std::copy_n(row.buckets.begin() + 2, row.count, row.buckets.begin());
  }
}

bool Adwin::DropWhatDiffers() {
  bool dropped = false;
  while (width_ > kLeastWidth && SomeSplitDiffers()) {
    DropOldest();
    dropped = true;
  }
  return dropped;
}

bool Adwin::SomeSplitDiffers() const {
  double count = 0, total = 0;
  for (size_t i = rows_.size(); i-- > 0;) {
    for (uint32_t b = 0; b < rows_[i].count; ++b) {
      count += std::ldexp(1.0, static_cast<int>(i));
      total += rows_[i].buckets[b].total;
      if (static_cast<double>(width_) - count < kLeastPart) return false;
      if (count >= kLeastPart && Differs(count, total)) return true;
    }
  }
  return false;
}

bool Adwin::Differs(double old_count, double old_total) const {
  const double all = static_cast<double>(width_), new_count = all - old_count;
  const double difference = std::abs(old_total / old_count - (total_ - old_total) / new_count);
  const double confidence = std::log(2 * std::log(all) / delta_);
  const double inverse = 1 / (old_count - kLeastPart + 1) + 1 / (new_count - kLeastPart + 1);
  const double variance = squares_ / all;
  return difference > std::sqrt(2 * inverse * variance * confidence) + 2.0 / 3 * inverse * confidence;
}

void Adwin::DropOldest() {
  while (rows_.back().count == 0) rows_.pop_back();
  Row& row = rows_.back();
  const Bucket oldest = row.buckets[0];
  const uint64_t size = uint64_t{1} << (rows_.size() - 1);
  std::copy_n(row.buckets.begin() + 1, --row.count, row.buckets.begin());
  width_ -= size;
  total_ -= oldest.total;
  const double n = static_cast<double>(size), rest = static_cast<double>(width_);
  squares_ = std::max(0.0, squares_ - oldest.squares - SquaresBetween(n, oldest.total, rest, total_));
}

void Adwin::Save(ByteWriter* out) const {
  out->Put(values_);
  out->Put(total_);
  out->Put(squares_);
  out->PutVarint(rows_.size());
  for (const Row& row : rows_) out->PutAll(std::span(row.buckets.data(), row.count));
}

void Adwin::Load(ByteReader* in) {
  values_ = in->Get<uint64_t>();
  total_ = in->Get<double>();
  squares_ = in->Get<double>();
  rows_.assign(std::min<uint64_t>(in->GetCount(), kMostRows), {});
  width_ = 0;
  bool right = total_ >= -1 && std::isfinite(total_) && squares_ >= 0 && std::isfinite(squares_);
  for (size_t i = 0; i < rows_.size(); ++i) {
    const auto buckets = in->GetAll<Bucket>();
    right = right && buckets.size() <= kBuckets;
    if (!right) break;
    rows_[i].count = static_cast<uint32_t>(buckets.size());
    std::copy(buckets.begin(), buckets.end(), rows_[i].buckets.begin());
    for (const Bucket& bucket : buckets) right = right && std::isfinite(bucket.total) && std::isfinite(bucket.squares);
    width_ += static_cast<uint64_t>(buckets.size()) << i;
  }
  if (!right) throw Error(ErrorKind::kDamaged, "a stored state of the detector adwin is wrong");
}

namespace {

class AdwinDetector final : public DriftDetector {
 public:
  bool Add(double value) override { return std::isfinite(value) && adwin_.Add(value); }
  void Save(ByteWriter* out) const override { adwin_.Save(out); }
  void Load(ByteReader* in) override { adwin_.Load(in); }

 private:
  Adwin adwin_;
};

const bool registered = Detectors().Add(
    "adwin", {.summary = "A window of the newest values that drops the older part where its mean is another; for changes of any kind.",
              .paper = "Bifet & Gavaldà, Learning from time-changing data with adaptive windowing (2007)",
              .false_alarm_rows = 1'000'000,  // simulated: 1.6 to 7 million at error rates from 0.2 to 0.5, by the run; more at lower ones
              .make = [] { return std::make_unique<AdwinDetector>(); }});

}  // namespace
}  // namespace everlearn
