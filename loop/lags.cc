#include "loop/lags.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr std::array<double, 3> kMemoryOutcomes = {3, 20, 200};  // of the weighted means
}  // namespace

Lags::Lags(size_t classes) : classes_(classes), seasons_(classes) {
  for (std::vector<double>& shares : shares_) shares.assign(classes, 0.0);
}

std::vector<Feature> Lags::Features(const Task& task) {
  std::vector<Feature> features;
  const auto number = [&](const std::string& name) { features.push_back({task.target + ": " + name, "", FeaturePart::kLag, {}}); };
  const auto category = [&](const std::string& name) {
    features.push_back({task.target + ": " + name, "", FeaturePart::kLagCategory, task.labels});
  };
  if (task.is_classification()) {
    for (const char* name : {"last", "second last", "third last", "most frequent of late", "one season ago", "one long season ago"})
      category(name);
    for (const char* name : {"how long", "share of last in 20", "share of last in 200", "rows since known"}) number(name);
  } else {
    for (const char* name : {"last", "second last", "mean of 3", "mean of 20", "mean of 200", "one season ago", "season and level",
                             "one long season ago", "long season and level", "rows since known"})
      number(name);
  }
  return features;
}

// What a number counts as. Where it shows that one of the first was absurd, means begin anew at what is usual.
double Lags::HoldNumber(double truth) {
  const double held = targets_.Learn(truth);
  if (!targets_.was_absurd()) return held;
  seasons_.Hold(targets_.low(), targets_.high());
  for (size_t m = 0; m < kMemories; ++m) means_[m] = weights_[m] * targets_.mean();
  return std::clamp(held, targets_.low(), targets_.high());
}

void Lags::OnOutcome(uint64_t row, double truth) {
  const double held = classes_ == 0 ? HoldNumber(truth) : truth;
  seasons_.Add(row, held);
  streak_ = !last_.empty() && last_.front() == truth ? streak_ + 1 : 1;
  constexpr size_t kKeptOutcomes = 3;
  last_.insert(last_.begin(), truth);
  if (last_.size() > kKeptOutcomes) last_.pop_back();
  for (size_t m = 0; m < kMemories; ++m) {
    const double step = 1 / kMemoryOutcomes[m];
    weights_[m] += step * (1 - weights_[m]);
    if (classes_ == 0) {
      means_[m] += step * (held - means_[m]);
      continue;
    }
    for (size_t k = 0; k < classes_; ++k) shares_[m][k] += step * ((static_cast<double>(k) == truth ? 1.0 : 0.0) - shares_[m][k]);
  }
}

void Lags::Fill(uint64_t row, double* out) const {
  if (classes_ == 0) FillNumbers(row, out);
  else FillClasses(row, out);
}

void Lags::FillNumbers(uint64_t row, double* out) const {
  const uint64_t newest = seasons_.newest();
  const auto last = [&](size_t i) { return i < last_.size() ? last_[i] : kMissing; };
  out[0] = last(0);
  out[1] = last(1);
  for (size_t m = 0; m < kMemories; ++m) out[2 + m] = last_.empty() ? kMissing : means_[m] / weights_[m];
  for (size_t s = 0; s < Seasons::kSeasons; ++s) {
    const double ago = seasons_.Ago(row, season(s));
    const double level = last_.empty() ? kMissing : seasons_.Known(newest) - seasons_.Ago(newest, season(s));
    out[5 + 2 * s] = ago;
    out[6 + 2 * s] = std::isnan(level) ? ago : ago + level;
  }
  out[9] = last_.empty() ? kMissing : static_cast<double>(row > newest ? row - newest : 0);
}

void Lags::FillClasses(uint64_t row, double* out) const {
  const uint64_t newest = seasons_.newest();
  for (size_t i = 0; i < 3; ++i) out[i] = i < last_.size() ? last_[i] : kMissing;
  const auto frequent = std::max_element(shares_[1].begin(), shares_[1].end());
  out[3] = last_.empty() ? kMissing : static_cast<double>(frequent - shares_[1].begin());
  for (size_t s = 0; s < Seasons::kSeasons; ++s) out[4 + s] = seasons_.Ago(row, season(s));
  out[6] = static_cast<double>(streak_);
  for (size_t m = 1; m < kMemories; ++m)
    out[6 + m] = last_.empty() ? kMissing : shares_[m][static_cast<size_t>(last_.front())] / weights_[m];
  out[9] = last_.empty() ? kMissing : static_cast<double>(row > newest ? row - newest : 0);
}

void Lags::Save(ByteWriter* out) const {
  seasons_.Save(out);
  if (classes_ == 0) targets_.Save(out);
  out->Put(streak_);
  out->PutAll(last_);
  for (size_t m = 0; m < kMemories; ++m) {
    out->Put(means_[m]);
    out->Put(weights_[m]);
    out->PutAll(shares_[m]);
  }
}

void Lags::Load(ByteReader* in) {
  seasons_.Load(in);
  if (classes_ == 0) targets_.Load(in);
  streak_ = in->Get<uint64_t>();
  last_ = in->GetAll<double>();
  const auto possible = [&](double truth) {
    return classes_ == 0 ? std::isfinite(truth) : truth >= 0 && truth < static_cast<double>(classes_) && truth == std::floor(truth);
  };
  bool good = last_.size() <= 3 && last_.empty() == (seasons_.outcomes() == 0) && std::all_of(last_.begin(), last_.end(), possible);
  for (size_t m = 0; m < kMemories; ++m) {
    means_[m] = in->Get<double>();
    weights_[m] = in->Get<double>();
    shares_[m] = in->GetAll<double>();
    good = good && shares_[m].size() == classes_;
  }
  if (!good) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its lags are none");
}

void FillLags(const ScheduleInput& schedule, std::span<const double> target, size_t classes, std::span<double> values) {
  if (schedule.rows == 0) return;
  Lags lags(classes);
  const Schedule order(schedule);
  const size_t features = values.size() / schedule.rows;
  for (size_t item = 0; item < order.size(); ++item) {
    const uint32_t row = order.row(item);
    if (!order.is_outcome(item)) lags.Fill(row, values.data() + (row + 1) * features - Lags::Count(classes));
    else if (!order.is_early(row)) lags.OnOutcome(row, target[row]);
  }
}

}  // namespace everlearn
