#include "loop/expert_choice.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "evaluation/metric.h"

namespace everlearn {
namespace {

constexpr size_t kRateCount = ExpertChoice::kRates.size();
// Chosen on the streams of docs/benchmarks.md, 1,000 rows late, where half or twice of one of them hardly matters.
constexpr double kBlendFirst = 0.4;  // share of the blend, at first
constexpr double kRateOfRates = 8;
constexpr double kFirstVariance = 50;  // V₀
constexpr double kShareBack = 1e-4;    // after an outcome, over 1 + delay

constexpr double kMostShare = 1 + 1e-6;  // rounding

}  // namespace

ExpertChoice::ExpertChoice(size_t classes) : classes_(classes), voices_(1) {
  rates_.fill(1.0 / static_cast<double>(kRateCount));
  voices_[0].fill(1.0);
}

double ExpertChoice::FirstShare(size_t voice) const {
  return voice == 0 ? kBlendFirst : (1 - kBlendFirst) / static_cast<double>(voices_.size() - 1);
}

void ExpertChoice::AddExpert() {
  voices_.emplace_back();
  const bool all_are_new = variance_ == 0;  // so far all voices were right, or all wrong, on each row: no share has changed
  const double share = FirstShare(voices_.size() - 1);
  for (size_t voice = 0; voice < voices_.size(); ++voice)
    for (double& value : voices_[voice]) value = all_are_new ? FirstShare(voice) : (1 - share) * value;
  if (!all_are_new) voices_.back().fill(share);
}

double ExpertChoice::MeanShare(size_t voice) const {
  double share = 0;
  for (size_t rate = 0; rate < kRateCount; ++rate) share += rates_[rate] * voices_[voice][rate];
  return share;
}

void ExpertChoice::Predict(const double* blended, std::span<const double* const> experts, double* out, double* said) const {
  static thread_local std::vector<double> mix;
  std::fill(out, out + classes_, 0.0);
  said[0] = static_cast<double>(PredictedClass(blended, classes_));
  for (size_t rate = 0; rate < kRateCount; ++rate) {
    mix.assign(classes_, 0.0);
    double sum = 0;
    for (size_t voice = 0; voice < voices_.size(); ++voice) {
      const double* prediction = voice == 0 ? blended : experts[voice - 1];
      if (prediction == nullptr) continue;
      const double share = voices_[voice][rate];
      for (size_t c = 0; c < classes_; ++c) mix[c] += share * prediction[c];
      sum += share;
    }
    said[1 + rate] = static_cast<double>(PredictedClass(mix.data(), classes_));
    for (size_t c = 0; c < classes_; ++c) out[c] += rates_[rate] * mix[c] / sum;
  }
}

void ExpertChoice::Learn(const double* said, std::span<const double* const> experts, double truth, double delay) {
  static thread_local std::vector<signed char> heard;  // −1: silent; 0: right; 1: wrong
  heard.assign(1, said[0] != truth);
  for (const double* expert : experts)
    heard.push_back(expert == nullptr ? -1 : static_cast<double>(PredictedClass(expert, classes_)) != truth);

  const double scale = std::sqrt((1 + delay) * (kFirstVariance + variance_)), share_back = kShareBack / (1 + delay);
  double variance = 0, all = 0;
  for (size_t rate = 0; rate < kRateCount; ++rate) {
    double spoke = 0, wrong = 0;
    for (size_t voice = 0; voice < voices_.size(); ++voice) {
      if (heard[voice] >= 0) spoke += voices_[voice][rate];
      if (heard[voice] == 1) wrong += voices_[voice][rate];
    }
    const double miss = wrong / spoke, penalty = std::exp(-kRates[rate] / scale);
    variance += rates_[rate] * miss * (1 - miss);
    // The shares still sum to 1: what a voice loses, all that spoke share, and who was silent has what it had.
    const double left = 1 - miss + miss * penalty;
    for (size_t voice = 0; voice < voices_.size(); ++voice) {
      double& share = voices_[voice][rate];
      if (heard[voice] >= 0) share *= (heard[voice] == 1 ? penalty : 1) / left;
      share = (1 - share_back) * share + share_back * FirstShare(voice);
    }
    if (said[1 + rate] != truth) rates_[rate] *= std::exp(-kRateOfRates / scale);
    all += rates_[rate];
  }
  for (double& rate : rates_) rate = (1 - share_back) * rate / all + share_back / static_cast<double>(kRateCount);
  variance_ += variance;
}

void ExpertChoice::Save(ByteWriter* out) const {
  out->Put(variance_);
  out->Put(rates_);
  out->PutAll(voices_);
}

void ExpertChoice::Load(ByteReader* in) {
  variance_ = in->Get<double>();
  rates_ = in->Get<Shares>();
  voices_ = in->GetAll<Shares>();
  const auto are_shares = [](const Shares& shares) {
    return std::all_of(shares.begin(), shares.end(), [](double share) { return share > 0 && share <= kMostShare; });
  };
  if (!(variance_ >= 0 && std::isfinite(variance_)) || !are_shares(rates_) || voices_.empty() ||
      !std::all_of(voices_.begin(), voices_.end(), are_shares))
    throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its choice of experts is none");
}

}  // namespace everlearn
