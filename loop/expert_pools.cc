#include "loop/expert_pools.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr std::array<double, 2> kSteps = {0.02, 0.002};  // of the log-linear pools
constexpr double kShare = 0.001;                         // spread evenly over the parties after each outcome
constexpr double kLeastProbability = 1e-4;               // probabilities count as at least this
constexpr double kMostWeight = 4;                        // of an input of a log-linear pool
constexpr double kKeep = 0.999;                          // of the moments after each outcome
constexpr double kRidge = 10;                            // rows' worth of belief in the mix
constexpr double kMostDeviations = 4;                    // errors and deviations count as at most so many standard deviations
constexpr double kMostSquaredErrors = 16;                // in variances, when parties are judged

double SafeLog(double p) { return std::log(p >= kLeastProbability ? p : kLeastProbability); }

// Scores → probabilities, in place.
void Softmax(double* scores, size_t count) {
  const double highest = *std::max_element(scores, scores + count);
  double sum = 0;
  for (size_t k = 0; k < count; ++k) sum += scores[k] = std::exp(scores[k] - highest);
  for (size_t k = 0; k < count; ++k) scores[k] /= sum;
}

}  // namespace

ExpertPools::ExpertPools(size_t classes) : classes_(classes) {
  const size_t pools = classes == 0 ? 1 : kSteps.size();
  shares_.assign(1 + pools, 1.0 / static_cast<double>(1 + pools));
  weights_.assign(pools, classes == 0 ? 0.0 : 1.0);  // of the mix; of a constant
  bias_.assign(pools * classes, 0.0);
  if (classes == 0) moments_.assign(1, 0.0), cross_.assign(1, 0.0);
}

void ExpertPools::AddExpert() {
  const size_t pools = shares_.size() - 1, before = inputs();
  std::vector<double> weights;
  for (size_t pool = 0; pool < pools; ++pool) {
    weights.insert(weights.end(), weights_.begin() + static_cast<std::ptrdiff_t>(pool * before),
                   weights_.begin() + static_cast<std::ptrdiff_t>((pool + 1) * before));
    weights.push_back(0);
  }
  weights_ = std::move(weights);
  ++experts_;
  if (classes_ > 0) return;
  std::vector<double> moments(inputs() * inputs(), 0.0);
  for (size_t i = 0; i < before; ++i)
    for (size_t j = 0; j < before; ++j) moments[i * inputs() + j] = moments_[i * before + j];
  moments_ = std::move(moments);
  cross_.push_back(0);
}

// Of the row at hand: inputs × outputs, then (1 + pools) × outputs.
struct ExpertPools::Row {
  std::vector<double> values, predictions;
};
ExpertPools::Row& ExpertPools::RowAtHand() {
  static thread_local Row row;
  return row;
}

// Input 0 is the mix (classes) or the constant (numbers).
void ExpertPools::PredictAll(const double* mix, std::span<const double* const> experts, Row* row) const {
  const size_t k = outputs();
  auto& [values, predictions] = *row;
  values.resize(inputs() * k);
  predictions.resize(shares_.size() * k);
  std::copy(mix, mix + k, predictions.begin());
  if (classes_ == 0) {
    values[0] = 0;
    double sum = mix[0] + weights_[0];
    for (size_t e = 0; e < experts_; ++e) {
      values[1 + e] = experts[e] == nullptr || !std::isfinite(experts[e][0]) ? 0.0 : experts[e][0] - mix[0];
      sum += weights_[1 + e] * values[1 + e];
    }
    predictions[1] = std::isfinite(sum) ? sum : mix[0];
    return;
  }
  for (size_t c = 0; c < k; ++c) values[c] = SafeLog(mix[c]);
  for (size_t e = 0; e < experts_; ++e) {
    double* to = values.data() + (1 + e) * k;
    if (experts[e] == nullptr) std::copy(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(k), to);
    else
      for (size_t c = 0; c < k; ++c) to[c] = SafeLog(experts[e][c]);
  }
  for (size_t pool = 0; pool + 1 < shares_.size(); ++pool) {
    double* scores = predictions.data() + (1 + pool) * k;
    const double* weights = weights_.data() + pool * inputs();
    std::copy_n(bias_.begin() + static_cast<std::ptrdiff_t>(pool * k), k, scores);
    for (size_t i = 0; i < inputs(); ++i)
      for (size_t c = 0; c < k; ++c) scores[c] += weights[i] * values[i * k + c];
    Softmax(scores, k);
  }
}

void ExpertPools::Predict(const double* mix, std::span<const double* const> experts, double* out) const {
  Row& row = RowAtHand();
  PredictAll(mix, experts, &row);
  const size_t k = outputs();
  std::fill(out, out + k, 0.0);
  for (size_t party = 0; party < shares_.size(); ++party)
    for (size_t c = 0; c < k; ++c) out[c] += shares_[party] * row.predictions[party * k + c];
}

void ExpertPools::Learn(const double* mix, std::span<const double* const> experts, double truth, double variance) {
  Row& row = RowAtHand();
  PredictAll(mix, experts, &row);
  double sum = 0;
  for (size_t party = 0; party < shares_.size(); ++party) {
    double likelihood = 1;
    if (classes_ > 0) {
      likelihood = std::max(row.predictions[party * classes_ + static_cast<size_t>(truth)], kLeastProbability);
    } else if (variance > 0) {
      const double error = row.predictions[party] - truth, squared = error * error / variance;
      likelihood = std::exp(-0.5 * (squared <= kMostSquaredErrors ? squared : kMostSquaredErrors));
    }
    shares_[party] *= likelihood;
    sum += shares_[party];
  }
  for (double& share : shares_) share = (1 - kShare) * share / sum + kShare / static_cast<double>(shares_.size());
  if (classes_ > 0) LearnClasses(truth, &row);
  else LearnNumber(mix, truth, variance, &row);
}

void ExpertPools::LearnClasses(double truth, Row* row) {
  const size_t k = classes_;
  for (size_t pool = 0; pool + 1 < shares_.size(); ++pool) {
    double* slopes = row->predictions.data() + (1 + pool) * k;
    slopes[static_cast<size_t>(truth)] -= 1;
    double* weights = weights_.data() + pool * inputs();
    for (size_t i = 0; i < inputs(); ++i) {
      double gradient = 0;
      for (size_t c = 0; c < k; ++c) gradient += slopes[c] * row->values[i * k + c];
      weights[i] = std::clamp(weights[i] - kSteps[pool] * gradient, -kMostWeight, kMostWeight);
    }
    for (size_t c = 0; c < k; ++c) {
      double& bias = bias_[pool * k + c];
      bias = std::clamp(bias - kSteps[pool] * slopes[c], -kMostWeight, kMostWeight);
    }
  }
}

void ExpertPools::LearnNumber(const double* mix, double truth, double variance, Row* row) {
  if (!(variance > 0)) return;
  std::vector<double>& values = row->values;
  const double scale = std::sqrt(variance), most = kMostDeviations;
  const double error = std::clamp((truth - mix[0]) / scale, -most, most);
  values[0] = 1;
  for (size_t i = 1; i < inputs(); ++i) values[i] = std::clamp(values[i] / scale, -most, most);
  for (size_t i = 0; i < inputs(); ++i) {
    for (size_t j = 0; j < inputs(); ++j) moments_[i * inputs() + j] = kKeep * moments_[i * inputs() + j] + values[i] * values[j];
    cross_[i] = kKeep * cross_[i] + values[i] * error;
  }
  Solve();
  weights_[0] *= scale;
}

// (moments + ridge) weights = cross, by Cholesky's factors; a factor that is not positive ends it with the mix alone.
void ExpertPools::Solve() {
  const size_t n = inputs();
  static thread_local std::vector<double> factor;
  factor = moments_;
  for (size_t i = 0; i < n; ++i) factor[i * n + i] += kRidge;
  weights_ = cross_;
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = j; i < n; ++i) {
      double sum = factor[i * n + j];
      for (size_t l = 0; l < j; ++l) sum -= factor[i * n + l] * factor[j * n + l];
      if (i == j && !(sum > 0)) {
        std::fill(weights_.begin(), weights_.end(), 0.0);
        return;
      }
      factor[i * n + j] = i == j ? std::sqrt(sum) : sum / factor[j * n + j];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t l = 0; l < i; ++l) weights_[i] -= factor[i * n + l] * weights_[l];
    weights_[i] /= factor[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t l = i + 1; l < n; ++l) weights_[i] -= factor[l * n + i] * weights_[l];
    weights_[i] /= factor[i * n + i];
  }
}

void ExpertPools::Save(ByteWriter* out) const {
  out->PutVarint(experts_);
  for (const std::vector<double>* part : {&shares_, &weights_, &bias_, &moments_, &cross_}) out->PutAll(*part);
}

void ExpertPools::Load(ByteReader* in) {
  const size_t pools = shares_.size() - 1;
  experts_ = in->GetCount();
  for (std::vector<double>* part : {&shares_, &weights_, &bias_, &moments_, &cross_}) *part = in->GetAll<double>();
  const bool number = classes_ == 0;
  const bool good = shares_.size() == pools + 1 && weights_.size() == pools * inputs() && bias_.size() == pools * classes_ &&
                    moments_.size() == (number ? inputs() * inputs() : 0) && cross_.size() == (number ? inputs() : 0);
  if (!good) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its pools are none");
}

}  // namespace everlearn
