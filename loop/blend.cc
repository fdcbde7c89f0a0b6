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

}  // namespace

void Blend::AddExpert(uint32_t member) {
  const double weight = 1.0 / static_cast<double>(experts_.size() + 1);
  for (Expert& expert : experts_) expert.weight *= 1.0 - weight;
  experts_.push_back({member, weight});
}

void Blend::RemoveExpert(uint32_t member) {
  std::erase_if(experts_, [&](const Expert& expert) { return expert.member == member; });
  double sum = 0;
  for (const Expert& expert : experts_) sum += expert.weight;
  for (Expert& expert : experts_) expert.weight /= sum;
}

bool Blend::HasExpert(uint32_t member) const {
  return std::any_of(experts_.begin(), experts_.end(), [&](const Expert& expert) { return expert.member == member; });
}

bool Blend::Predict(const std::vector<uint32_t>& members, const std::vector<double>& predictions, double* out) const {
  const size_t k = outputs();
  std::fill(out, out + k, 0.0);
  double sum = 0;
  for (const Expert& expert : experts_) {
    const auto found = std::find(members.begin(), members.end(), expert.member);
    if (found == members.end()) continue;
    const double* prediction = predictions.data() + static_cast<size_t>(found - members.begin()) * k;
    if (!std::isfinite(prediction[0])) continue;
    for (size_t i = 0; i < k; ++i) out[i] += expert.weight * prediction[i];
    sum += expert.weight;
  }
  if (sum <= 0) return false;
  for (size_t i = 0; i < k; ++i) out[i] /= sum;
  if (classes_ == 2) out[0] = 1.0 - out[1];
  return true;
}

void Blend::Learn(const PendingRow& row, double truth, const double* self) {
  if (classes_ == 0 && self != nullptr) {
    const double error = self[0] - truth;
    // One absurd outcome must not hide all differences between experts for thousands of rows.
    const double most = variance_rows_ >= kLeastVarianceRows && variance_ > 0 ? kMostGrowth * variance_ : RowLoss::kMost;
    const double squared = error * error <= most ? error * error : most;
    variance_rows_ = std::min(variance_rows_ + 1.0, kVarianceRows);
    variance_ += (squared - variance_) / variance_rows_;
  }
  double sum = 0;
  for (Expert& expert : experts_) {
    const double* prediction = row.Of(expert.member, outputs());
    double likelihood = 1.0;
    if (prediction == nullptr && self != nullptr) prediction = self;  // who did not predict is judged as the blend itself
    if (prediction != nullptr) {
      if (classes_ > 0) {
        const double p = prediction[static_cast<size_t>(truth)];
        likelihood = p >= kLeastProbability ? p : kLeastProbability;
      } else {
        const double error = prediction[0] - truth;
        const double in_variances = error * error / variance_;
        const double counted = in_variances <= kMostSquaredErrors ? in_variances : kMostSquaredErrors;  // also what is not a number
        likelihood = variance_ > 0 ? std::exp(-0.5 * counted) : 1.0;
      }
    }
    expert.weight *= likelihood;
    sum += expert.weight;
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
}

}  // namespace everlearn
