#include "kernels/online_weights.h"

#include "base/widest_vectors.h"

namespace everlearn {
namespace {

// Arguments by value and arrays of their own, so that the loop becomes vectors.
template <bool coin_betting>
void Loop(WeightRule rule, double* __restrict weight, double* __restrict sum, double* __restrict magnitude, double* __restrict reward,
          double* __restrict largest, size_t count, const double* __restrict gradients, const double* __restrict possible) {
  const WeightArrays arrays{weight, sum, magnitude, reward, largest};
  for (size_t i = 0; i < count; ++i) UpdateWeight<coin_betting>(rule, arrays, i, gradients[i], possible[i]);
}

}  // namespace

void UpdateWeights(const WeightRule& rule, const WeightArrays& weights, size_t count, const double* gradients, const double* possible) {
  const auto run =
      rule.coin_betting
          ? RunWithWidestVectors<Loop<true>, WeightRule, double*, double*, double*, double*, double*, size_t, const double*, const double*>
          : RunWithWidestVectors<Loop<false>, WeightRule, double*, double*, double*, double*, double*, size_t, const double*,
                                 const double*>;
  run(rule, weights.weight, weights.sum, weights.magnitude, weights.reward, weights.largest, count, gradients, possible);
}

}  // namespace everlearn
