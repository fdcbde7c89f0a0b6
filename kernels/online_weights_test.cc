// Weights that learn one by one: by hand, alone as in vectors, and untouched where a row does not have their feature.
#include "kernels/online_weights.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/random.h"

namespace everlearn {
namespace {

struct Weights {
  explicit Weights(size_t count) {
    for (auto& field : fields) field.assign(count, 0.0);
  }
  WeightArrays arrays() { return {fields[0].data(), fields[1].data(), fields[2].data(), fields[3].data(), fields[4].data()}; }
  std::array<std::vector<double>, kWeightFields> fields;
};

// θ = −Σg, G = Σ|g|, L = max |g|, R = Σ max(−g w, 0…): w = θ / (L (G + L)) · (2L + R), algorithm 2 of the paper with ε = 2L.
TEST(OnlineWeights, CoinBettingByHand) {
  Weights w(1);
  UpdateWeight({}, w.arrays(), 0, -0.5, 0.25);
  EXPECT_DOUBLE_EQ(w.fields[0][0], 0.5 / (0.5 * 1.0) * 1.0);
  UpdateWeight({}, w.arrays(), 0, -1, 0.25);  // reward 1 · 1
  EXPECT_DOUBLE_EQ(w.fields[0][0], 1.5 / (1 * 2.5) * (2 + 1));
  UpdateWeight({.keep = 0.5}, w.arrays(), 0, 0.2, 1);
  EXPECT_DOUBLE_EQ(w.fields[0][0], (0.75 - 0.2) / (1 * (0.75 + 0.2 + 1)) * (2 + 0.5 - 0.2 * 1.8));
}

// Without penalties FTRL is gradient descent with steps learning_rate / (1 + √Σg²) (Proposition 1 of the paper, at its first step).
TEST(OnlineWeights, FtrlByHand) {
  Weights w(1);
  const WeightRule rule{.coin_betting = false, .learning_rate = 0.5};
  UpdateWeight(rule, w.arrays(), 0, 2, 1);
  EXPECT_DOUBLE_EQ(w.fields[0][0], -0.5 * 2 / (1 + 2));
  const WeightRule sparse{.coin_betting = false, .learning_rate = 0.5, .l1 = 3};
  Weights zero(1);
  UpdateWeight(sparse, zero.arrays(), 0, 2, 1);
  EXPECT_EQ(zero.fields[0][0], 0);
}

TEST(OnlineWeights, VectorsEqualOneByOne) {
  for (const bool coin_betting : {true, false}) {
    const WeightRule rule{.coin_betting = coin_betting, .keep = 0.999, .l1 = 0.1, .l2 = 0.2};
    constexpr size_t kCount = 37;
    Weights together(kCount), alone(kCount);
    Random random(1);
    for (int step = 0; step < 200; ++step) {
      std::vector<double> gradients(kCount), possible(kCount);
      for (size_t i = 0; i < kCount; ++i) {
        if (random.Uniform() < 0.3) continue;
        possible[i] = std::abs(random.Normal());
        gradients[i] = possible[i] * (2 * random.Uniform() - 1);
      }
      const auto before = together.fields;
      UpdateWeights(rule, together.arrays(), kCount, gradients.data(), possible.data());
      for (size_t i = 0; i < kCount; ++i) UpdateWeight(rule, alone.arrays(), i, gradients[i], possible[i]);
      for (size_t f = 0; f < kWeightFields; ++f) {
        ASSERT_EQ(together.fields[f], alone.fields[f]);
        for (size_t i = 0; i < kCount; ++i) ASSERT_TRUE(possible[i] > 0 || together.fields[f][i] == before[f][i]);
      }
    }
  }
}

}  // namespace
}  // namespace everlearn
