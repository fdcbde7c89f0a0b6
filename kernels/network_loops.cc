#include "kernels/network_loops.h"

#include <cmath>

#include "base/widest_vectors.h"

namespace everlearn {
namespace {

template <NetworkActivation kActivation>
inline void ActivateOne(float z, float* value, float* slope) {
  if constexpr (kActivation == NetworkActivation::kRelu) {
    *value = z > 0.0f ? z : 0.0f;
    *slope = z > 0.0f ? 1.0f : 0.0f;
  } else {
    const float gate = 1.0f / (1.0f + FastExp(-z));
    *value = z * gate;
    *slope = gate * (1.0f + z * (1.0f - gate));
  }
}

template <NetworkActivation kActivation>
void ActivateOnly(float* __restrict z, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float slope;
    ActivateOne<kActivation>(z[i], &z[i], &slope);
  }
}

template <NetworkActivation kActivation>
void ActivateWithSlope(float* __restrict z, float* __restrict slopes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float value, slope;
    ActivateOne<kActivation>(z[i], &value, &slope);
    z[i] = value;
    slopes[i] = slope;
  }
}

inline void Drop(uint32_t* lane, uint32_t threshold, float scale, float* value, float* slope) {
  uint32_t state = *lane;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  *lane = state;
  // Compared as signed numbers, for which SSE has an instruction.
  const float factor = static_cast<int32_t>(state >> 1) < static_cast<int32_t>(threshold) ? 0.0f : scale;
  *value *= factor;
  *slope *= factor;
}

void DropOut(uint32_t* lanes, uint32_t threshold, float scale, float* __restrict values, float* __restrict slopes, size_t count) {
  uint32_t own[16];
  for (size_t l = 0; l < 16; ++l) own[l] = lanes[l];
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (size_t l = 0; l < 16; ++l) Drop(&own[l], threshold, scale, &values[i + l], &slopes[i + l]);
  for (size_t l = 0; i + l < count; ++l) Drop(&own[l], threshold, scale, &values[i + l], &slopes[i + l]);
  for (size_t l = 0; l < 16; ++l) lanes[l] = own[l];
}

void MultiplyAndSum(const float* __restrict slope, float* __restrict gradient, size_t count, float* __restrict sums, size_t columns) {
  for (size_t i = 0; i < count; i += columns) {
    for (size_t j = 0; j < columns; ++j) {
      const float g = gradient[i + j] * slope[i + j];
      gradient[i + j] = g;
      sums[j] += g;
    }
  }
}

void ExponentialsOf(float* __restrict values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = FastExp(values[i]);
}

void AdamW(const float* __restrict gradient, float* __restrict mean, float* __restrict square, float* __restrict parameters, size_t count,
           float beta1, float beta2, float epsilon, float keep, float rate, float root_correction) {
  for (size_t i = 0; i < count; ++i) {
    const float g = gradient[i];
    const float m = mean[i] + (1.0f - beta1) * (g - mean[i]);
    const float v = beta2 * square[i] + (1.0f - beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    parameters[i] = parameters[i] * keep - rate * (m / (std::sqrt(v) * root_correction + epsilon));
  }
}

}  // namespace

DropoutRandom::DropoutRandom(uint64_t seed) {
  Random random(seed);
  for (uint32_t& lane : lanes) lane = static_cast<uint32_t>(random.Next() >> 32) | 1u;  // never 0, where xorshift would stay
}

void Activate(NetworkActivation activation, float dropout, DropoutRandom* random, std::span<float> z, float* slope) {
  const bool relu = activation == NetworkActivation::kRelu;
  if (slope == nullptr) {
    if (relu) return RunWithWidestVectors<ActivateOnly<NetworkActivation::kRelu>>(z.data(), z.size());
    return RunWithWidestVectors<ActivateOnly<NetworkActivation::kSilu>>(z.data(), z.size());
  }
  if (relu) {
    RunWithWidestVectors<ActivateWithSlope<NetworkActivation::kRelu>>(z.data(), slope, z.size());
  } else {
    RunWithWidestVectors<ActivateWithSlope<NetworkActivation::kSilu>>(z.data(), slope, z.size());
  }
  if (dropout <= 0) return;
  const auto threshold = static_cast<uint32_t>(static_cast<double>(dropout) * 0x1p31);
  RunWithWidestVectors<DropOut>(random->lanes.data(), threshold, 1.0f / (1.0f - dropout), z.data(), slope, z.size());
}

void MultiplyBySlopes(const float* slope, std::span<float> gradient, std::span<float> sums) {
  RunWithWidestVectors<MultiplyAndSum>(slope, gradient.data(), gradient.size(), sums.data(), sums.size());
}

void Exponentials(std::span<float> values) { RunWithWidestVectors<ExponentialsOf>(values.data(), values.size()); }

void ApplyAdamW(const AdamWStep& step, std::span<const float> gradient, std::span<float> mean, std::span<float> square,
                std::span<float> parameters) {
  const double correction1 = 1 - std::pow(static_cast<double>(step.beta1), step.step);
  const double correction2 = 1 - std::pow(static_cast<double>(step.beta2), step.step);
  RunWithWidestVectors<AdamW>(gradient.data(), mean.data(), square.data(), parameters.data(), parameters.size(), step.beta1, step.beta2,
                              step.epsilon, 1.0f - step.learning_rate * step.weight_decay,
                              static_cast<float>(step.learning_rate / correction1), static_cast<float>(1 / std::sqrt(correction2)));
}

}  // namespace everlearn
