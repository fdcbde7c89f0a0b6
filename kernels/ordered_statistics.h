// Target statistics of categories that do not give a row's own target away: a row sees only the rows before it in a random order.
//
// Prokhorenkova et al., CatBoost: unbiased boosting with categorical features, 2018, section 3.2. Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace everlearn {

// Numbers the distinct keys 0, 1, … in ascending order: `groups` receives the number of each row's key, the result the keys.
std::vector<uint64_t> NumberKeys(std::span<const uint64_t> keys, std::vector<uint32_t>* groups);

// Weight and weighted target sum of a group's rows.
struct GroupSum {
  double weight = 0, sum = 0;
  // Their mean with `strength` rows of the prior mean added.
  double Mean(double prior, double strength) const { return (sum + strength * prior) / (weight + strength); }
};

// For each row the sum over the rows of its group that stand before it in `order` (a permutation of the rows). `totals` receives the sums
// over all rows. Weights empty: all 1. `before` has one entry a row.
void OrderedSums(std::span<const uint32_t> groups, size_t group_count, std::span<const uint32_t> order, std::span<const float> weights,
                 std::span<const float> target, std::vector<GroupSum>* totals, std::span<GroupSum> before);

// At most `bins` - 1 ascending bounds between distinct values that cut them into parts of about equal size; `values` is sorted here. A
// value x has the code: number of bounds below x.
std::vector<double> EqualShareBounds(std::vector<double>* values, size_t bins);
uint8_t CodeOf(std::span<const double> bounds, double x);

}  // namespace everlearn
