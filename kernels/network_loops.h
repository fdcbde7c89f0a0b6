// The loops of a neural network that go number by number: activations with dropout, the softmax, AdamW.
//
// Pure functions but for what they are given to change; safe from any thread. Results do not depend on the machine's vector width.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/random.h"

namespace everlearn {

enum class NetworkActivation {
  kRelu,  // max(0, z)
  kSilu,  // z / (1 + exp(-z)): Elfwing, Uchibe & Doya, Sigmoid-weighted linear units, 2018
};

// Sixteen generators side by side (Marsaglia, Xorshift RNGs, 2003): only for the masks of dropout.
struct DropoutRandom {
  explicit DropoutRandom(uint64_t seed);
  std::array<uint32_t, 16> lanes;
};

// z becomes the activation, `slope` its derivative; one each. `dropout` in [0, 1): that share of them becomes 0 and the others are scaled
// by 1 / (1 - dropout) (Srivastava et al., Dropout, 2014). `slope` null: only the activation, no dropout.
void Activate(NetworkActivation activation, float dropout, DropoutRandom* random, std::span<float> z, float* slope);

// gradient[i] *= slope[i], and sums[i % sums.size()] += the result. The sizes of gradient and slope are a multiple of that of sums.
void MultiplyBySlopes(const float* slope, std::span<float> gradient, std::span<float> sums);

// values[i] = exp(values[i]) to 2 units in the last place.
void Exponentials(std::span<float> values);

struct AdamWStep {
  float learning_rate = 1e-3f;
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
  float weight_decay = 0;
  int step = 1;  // counts from 1
};
// One step of AdamW (Loshchilov & Hutter, Decoupled weight decay regularization, 2019), as PyTorch orders its operations. Spans of equal
// size.
void ApplyAdamW(const AdamWStep& step, std::span<const float> gradient, std::span<float> mean, std::span<float> square,
                std::span<float> parameters);

}  // namespace everlearn
