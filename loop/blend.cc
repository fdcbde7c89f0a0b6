#include "loop/blend.h"

#include <algorithm>
#include <cmath>

#include "loop/loss.h"

namespace everlearn {
namespace {

constexpr double kShare = 0.002;             // of the weight that is spread evenly after each outcome
constexpr double kLeastProbability = 1e-4;   // an expert's probability of what happened counts as at least this
constexpr double kMostSquaredErrors = 16.0;  // an error counts as at most this many variances
constexpr double kVarianceRows = 200.0;      // memory of the variance, in outcomes
constexpr double kLeastVarianceRows = 20.0;  // from here on
constexpr double kMostGrowth = 20.0;         // a squared error counts as at most so many variances in the variance

struct Advice {
  std::vector<const double*> advice;
  std::vector<double> mix;
};
Advice& RowAtHand() {
  static thread_local Advice row;
  return row;
}

}  // namespace

void Blend::AddExpert(uint32_t member) {
  const double weight = 1.0 / static_cast<double>(experts_.size() + 1);
  for (Expert& expert : experts_) expert.weight *= 1.0 - weight;
  experts_.push_back({member, weight});
  pools_.AddExpert();
}

void Blend::ReplaceExpert(uint32_t member, uint32_t by) {
  for (Expert& expert : experts_)
    if (expert.member == member) expert.member = by;
}

bool Blend::HasExpert(uint32_t member) const {
  return std::any_of(experts_.begin(), experts_.end(), [&](const Expert& expert) { return expert.member == member; });
}

bool Blend::Mix(const std::vector<uint32_t>& members, const std::vector<double>& predictions, std::vector<const double*>* advice,
                std::vector<double>* mix) const {
  const size_t k = outputs();
  mix->assign(k, 0.0);
  advice->assign(experts_.size(), nullptr);
  double sum = 0;
  for (size_t e = 0; e < experts_.size(); ++e) {
    const auto found = std::find(members.begin(), members.end(), experts_[e].member);
    if (found == members.end()) continue;
    const double* prediction = predictions.data() + static_cast<size_t>(found - members.begin()) * k;
    if (!std::isfinite(prediction[0])) continue;
    (*advice)[e] = prediction;
    for (size_t i = 0; i < k; ++i) (*mix)[i] += experts_[e].weight * prediction[i];
    sum += experts_[e].weight;
  }
  if (sum <= 0) return false;
  for (double& value : *mix) value /= sum;
  return true;
}

bool Blend::Predict(const std::vector<uint32_t>& members, const std::vector<double>& predictions, double* out) const {
  auto& [advice, mix] = RowAtHand();
  if (!Mix(members, predictions, &advice, &mix)) {
    std::fill(out, out + outputs(), 0.0);
    return false;
  }
  pools_.Predict(mix.data(), advice, out);
  if (classes_ == 2) out[0] = 1.0 - out[1];
  return true;
}

void Blend::Learn(const PendingRow& row, double truth) {
  auto& [advice, mix] = RowAtHand();
  if (!Mix(row.members, row.predictions, &advice, &mix)) return;
  if (classes_ == 0) {
    const double error = mix[0] - truth;
    // One absurd outcome must not hide all differences between experts for thousands of rows.
    const double most = variance_rows_ >= kLeastVarianceRows && variance_ > 0 ? kMostGrowth * variance_ : RowLoss::kMost;
    const double squared = error * error <= most ? error * error : most;
    variance_rows_ = std::min(variance_rows_ + 1.0, kVarianceRows);
    variance_ += (squared - variance_) / variance_rows_;
  }
  pools_.Learn(mix.data(), advice, truth, variance_);
  double sum = 0;
  for (size_t e = 0; e < experts_.size(); ++e) {
    const double* prediction = advice[e] != nullptr ? advice[e] : mix.data();  // who did not predict is judged as all together
    double likelihood = 1.0;
    if (classes_ > 0) {
      const double p = prediction[static_cast<size_t>(truth)];
      likelihood = p >= kLeastProbability ? p : kLeastProbability;
    } else {
      const double error = prediction[0] - truth;
      const double in_variances = error * error / variance_;
      const double counted = in_variances <= kMostSquaredErrors ? in_variances : kMostSquaredErrors;  // also what is not a number
      likelihood = variance_ > 0 ? std::exp(-0.5 * counted) : 1.0;
    }
    experts_[e].weight *= likelihood;
    sum += experts_[e].weight;
  }
  const auto count = static_cast<double>(experts_.size());
  for (Expert& expert : experts_) expert.weight = (1.0 - kShare) * expert.weight / sum + kShare / count;
}

void Blend::Save(ByteWriter* out) const {
  out->Put(variance_);
  out->Put(variance_rows_);
  out->PutVarint(experts_.size());
  for (const Expert& expert : experts_) {
    out->Put(expert.member);
    out->Put(expert.weight);
  }
  pools_.Save(out);
}

void Blend::Load(ByteReader* in) {
  variance_ = in->Get<double>();
  variance_rows_ = in->Get<double>();
  experts_.clear();
  for (uint64_t left = in->GetCount(); left > 0; --left) {
    Expert& expert = experts_.emplace_back();
    expert.member = in->Get<uint32_t>();
    expert.weight = in->Get<double>();
  }
  pools_.Load(in);
  if (pools_.experts() != experts_.size())
    throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its pools are of other experts");
}

}  // namespace everlearn
