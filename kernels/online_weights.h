// Weights of linear models that learn from one gradient after another, each with a step size of its own.
//
//   coin betting: Orabona & Tommasi, Training Deep Networks without Learning Rates Through Coin Betting (2017), algorithm 2 without its
//     sigmoid, with forgetting: what a weight has won and lost fades at each of its updates.
//   FTRL: McMahan et al., Ad Click Prediction: a View from the Trenches (2013), algorithm 1.
// Pure functions over the caller's arrays; different weights may be updated by different threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace everlearn {

struct WeightRule {
  bool coin_betting = true;
  double keep = 1;                             // coin betting: 1 - forgetting
  double first_wealth = 2;                     // coin betting: of each weight, in units of its largest gradient
  double learning_rate = 0.5, l1 = 0, l2 = 0;  // FTRL
};

constexpr size_t kWeightFields = 5;

// Weights and what their algorithm remembers of each, in arrays side by side. All are 0 at first.
struct WeightArrays {
  double* weight;
  double* sum;        // coin betting: of the negative gradients; FTRL: z
  double* magnitude;  // coin betting: of the gradients' absolute values; FTRL: of their squares
  double* reward;     // coin betting: what the bets have won
  double* largest;    // coin betting: gradient that was seen or possible
};

// The weight i learns from `gradient`, the slope of the loss by it; `possible` is how large a slope of 1 by the score would have made it.
// Where `possible` is 0 (then so is the gradient) nothing changes.
template <bool coin_betting>
inline void UpdateWeight(const WeightRule& rule, const WeightArrays& w, size_t i, double gradient, double possible) {
  if constexpr (coin_betting) {
    const double keep = possible > 0 ? rule.keep : 1.0;
    const double size = std::abs(gradient);
    const double largest = std::max(w.largest[i], std::max(size, possible));
    const double sum = w.sum[i] * keep - gradient;
    const double magnitude = w.magnitude[i] * keep + size;
    const double reward = std::max(w.reward[i] * keep - gradient * w.weight[i], 0.0);
    const double risk = largest * (magnitude + largest);
    w.largest[i] = largest;
    w.sum[i] = sum;
    w.magnitude[i] = magnitude;
    w.reward[i] = reward;
    w.weight[i] = sum / (risk > 0 ? risk : 1.0) * (rule.first_wealth * largest + reward);
  } else {
    const double squares = w.magnitude[i] + gradient * gradient;
    const double root = std::sqrt(squares);
    const double sum = w.sum[i] + gradient - (root - std::sqrt(w.magnitude[i])) / rule.learning_rate * w.weight[i];
    const double shrunk = std::abs(sum) - rule.l1;
    w.sum[i] = sum;
    w.magnitude[i] = squares;
    w.weight[i] = shrunk > 0 ? -std::copysign(shrunk, sum) / ((1 + root) / rule.learning_rate + rule.l2) : 0.0;
  }
}

inline void UpdateWeight(const WeightRule& rule, const WeightArrays& w, size_t i, double gradient, double possible) {
  rule.coin_betting ? UpdateWeight<true>(rule, w, i, gradient, possible) : UpdateWeight<false>(rule, w, i, gradient, possible);
}

// The same for weights 0 … count - 1, with the widest vectors of the machine; results are the same on every machine.
void UpdateWeights(const WeightRule& rule, const WeightArrays& weights, size_t count, const double* gradients, const double* possible);

// In eight partial sums, so that it is quick and the same on every machine.
inline double DotProduct(const double* a, const double* b, size_t count) {
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t l = 0; l < 8; ++l) sums[l] += a[i + l] * b[i + l];
  for (size_t l = 0; i + l < count; ++l) sums[l] += a[i + l] * b[i + l];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace everlearn
