// The sizes of bets that the sequential tests mix over, in equal shares.
//
// A bet λ multiplies wealth by 1 + λx. The best one for a difference of mean μ and variance σ² is near μ/σ²; in a grid of ratio two some
// bet is within a factor √2 of it and grows at least 83% as fast. The largest stays below 1, so that no outcome ruins it; the smallest
// serves gains of a tenth of a point where a tenth of the rows differ. Measured by benchmarks/promotion_rates.cc.
#pragma once

#include <array>
#include <cstddef>

namespace everlearn {

constexpr size_t kBets = 8;
constexpr std::array<double, kBets> kBetSizes = {0.9, 0.45, 0.225, 0.1125, 0.05625, 0.028125, 0.0140625, 0.00703125};

}  // namespace everlearn
