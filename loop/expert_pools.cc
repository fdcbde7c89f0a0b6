#include "loop/expert_pools.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr std::array<double, 3> kSteps = {0.02, 0.002, 0.0002};  // of the log-linear pools
constexpr double kLeastProbability = 1e-4;                       // probabilities count as at least this
constexpr double kMostWeight = 4;                                // of an input of a log-linear pool
constexpr double kKeep = 0.999;                                  // of the moments after each outcome
constexpr double kRidge = 10;                                    // rows' worth of belief in the mix
constexpr double kMostDeviations = 4;                            // errors and deviations count as at most so many standard deviations

double SafeLog(double p) { return std::log(p >= kLeastProbability ? p : kLeastProbability); }

// Scores → probabilities, in place.
void Softmax(double* scores, size_t count) {
  const double highest = *std::max_element(scores, scores + count);
  double sum = 0;
  for (size_t k = 0; k < count; ++k) sum += scores[k] = std::exp(scores[k] - highest);
  for (size_t k = 0; k < count; ++k) scores[k] /= sum;
}

double* Scratch(size_t count) {
  static thread_local std::vector<double> values;
  if (values.size() < count) values.resize(count);
  return values.data();
}

}  // namespace

ExpertPools::ExpertPools(size_t classes)
    : classes_(classes),
      pools_(classes == 0 ? 1 : kSteps.size()),
      weights_(pools_, classes == 0 ? 0.0 : 1.0),  // of the constant; of the mix
      bias_(pools_ * classes, 0.0),
      moments_(classes == 0 ? 1 : 0, 0.0),
      cross_(moments_.size(), 0.0) {}

void ExpertPools::AddExpert() {
  const size_t before = inputs();
  for (size_t pool = pools_; pool > 0; --pool) weights_.insert(weights_.begin() + static_cast<std::ptrdiff_t>(pool * before), 0.0);
  ++experts_;
  if (classes_ > 0) return;
  std::vector<double> moments(inputs() * inputs(), 0.0);
  for (size_t i = 0; i < before; ++i)
    for (size_t j = 0; j < before; ++j) moments[i * inputs() + j] = moments_[i * before + j];
  moments_ = std::move(moments);
  cross_.push_back(0);
}

// Of classes: logarithms, inputs × classes; of numbers: what experts deviate from the mix.
void ExpertPools::ReadInputs(const double* mix, std::span<const double* const> experts, double* values) const {
  if (classes_ == 0) {
    values[0] = 1;
    for (size_t e = 0; e < experts_; ++e) values[1 + e] = experts[e] == nullptr ? 0.0 : experts[e][0] - mix[0];
    return;
  }
  for (size_t i = 0; i < inputs(); ++i) {
    const double* from = i == 0 || experts[i - 1] == nullptr ? mix : experts[i - 1];
    for (size_t c = 0; c < classes_; ++c) values[i * classes_ + c] = SafeLog(from[c]);
  }
}

void ExpertPools::PredictFrom(const double* mix, const double* values, double* out) const {
  if (classes_ == 0) {
    out[0] = mix[0];
    for (size_t i = 0; i < inputs(); ++i) out[0] += weights_[i] * values[i];
    if (!std::isfinite(out[0])) out[0] = mix[0];
    return;
  }
  for (size_t pool = 0; pool < pools_; ++pool, out += classes_) {
    std::copy_n(bias_.begin() + static_cast<std::ptrdiff_t>(pool * classes_), classes_, out);
    for (size_t i = 0; i < inputs(); ++i)
      for (size_t c = 0; c < classes_; ++c) out[c] += weights_[pool * inputs() + i] * values[i * classes_ + c];
    Softmax(out, classes_);
  }
}

void ExpertPools::Predict(const double* mix, std::span<const double* const> experts, double* out) const {
  double* values = Scratch(inputs() * std::max<size_t>(classes_, 1));
  ReadInputs(mix, experts, values);
  PredictFrom(mix, values, out);
}

void ExpertPools::Learn(const double* mix, std::span<const double* const> experts, double truth, double variance, double rate) {
  double* values = Scratch(inputs() * std::max<size_t>(classes_, 1) + pools_ * classes_);
  ReadInputs(mix, experts, values);
  if (classes_ == 0) {
    if (variance > 0 && std::isfinite(mix[0])) LearnNumber(truth - mix[0], std::sqrt(variance), values);
    return;
  }
  double* predictions = values + inputs() * classes_;
  PredictFrom(mix, values, predictions);
  LearnClasses(experts, values, truth, rate, predictions);
}

// What an expert would have said is not known where it was silent: its weight stays.
void ExpertPools::LearnClasses(std::span<const double* const> experts, const double* values, double truth, double rate,
                               double* predictions) {
  for (size_t pool = 0; pool < pools_; ++pool) {
    double* slopes = predictions + pool * classes_;
    slopes[static_cast<size_t>(truth)] -= 1;
    const double step = rate * kSteps[pool];
    for (size_t i = 0; i < inputs(); ++i) {
      if (i > 0 && experts[i - 1] == nullptr) continue;
      double gradient = 0;
      for (size_t c = 0; c < classes_; ++c) gradient += slopes[c] * values[i * classes_ + c];
      double& weight = weights_[pool * inputs() + i];
      weight = std::clamp(weight - step * gradient, -kMostWeight, kMostWeight);
    }
    for (size_t c = 0; c < classes_; ++c) {
      double& bias = bias_[pool * classes_ + c];
      bias = std::clamp(bias - step * slopes[c], -kMostWeight, kMostWeight);
    }
  }
}

void ExpertPools::LearnNumber(double error, double scale, double* values) {
  const double y = std::clamp(error / scale, -kMostDeviations, kMostDeviations);
  for (size_t i = 1; i < inputs(); ++i) values[i] = std::clamp(values[i] / scale, -kMostDeviations, kMostDeviations);
  for (size_t i = 0; i < inputs(); ++i) {
    for (size_t j = 0; j < inputs(); ++j) moments_[i * inputs() + j] = kKeep * moments_[i * inputs() + j] + values[i] * values[j];
    cross_[i] = kKeep * cross_[i] + values[i] * y;
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
  for (const std::vector<double>* part : {&weights_, &bias_, &moments_, &cross_}) out->PutAll(*part);
}

void ExpertPools::Load(ByteReader* in) {
  experts_ = in->GetCount();
  for (std::vector<double>* part : {&weights_, &bias_, &moments_, &cross_}) *part = in->GetAll<double>();
  const size_t numbers = classes_ == 0 ? inputs() : 0;
  const auto possible = [&](double value) { return std::isfinite(value) && (classes_ == 0 || std::abs(value) <= kMostWeight); };
  bool good = true;
  for (const std::vector<double>* part : {&weights_, &bias_, &moments_, &cross_})
    good = good && std::all_of(part->begin(), part->end(), possible);
  if (!good || weights_.size() != pools_ * inputs() || bias_.size() != pools_ * classes_ || moments_.size() != numbers * numbers ||
      cross_.size() != numbers)
    throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its pools are none");
}

}  // namespace everlearn
