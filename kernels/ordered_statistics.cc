// One pass over the rows in the random order, with a running sum a group.
#include "kernels/ordered_statistics.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace everlearn {

std::vector<uint64_t> NumberKeys(std::span<const uint64_t> keys, std::vector<uint32_t>* groups) {
  std::vector<uint64_t> distinct(keys.begin(), keys.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  groups->resize(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    (*groups)[i] = static_cast<uint32_t>(std::lower_bound(distinct.begin(), distinct.end(), keys[i]) - distinct.begin());
  }
  return distinct;
}

void OrderedSums(std::span<const uint32_t> groups, size_t group_count, std::span<const uint32_t> order, std::span<const float> weights,
                 std::span<const float> target, std::vector<GroupSum>* totals, std::span<GroupSum> before) {
  assert(order.size() == groups.size() && target.size() == groups.size() && before.size() == groups.size());
  totals->assign(group_count, {});
  for (const uint32_t row : order) {
    GroupSum& total = (*totals)[groups[row]];
    before[row] = total;
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[row]);
    total.weight += weight;
    total.sum += weight * static_cast<double>(target[row]);
  }
}

std::vector<double> EqualShareBounds(std::vector<double>* values, size_t bins) {
  std::sort(values->begin(), values->end());
  std::vector<double> bounds;
  size_t begin = 0;  // of the values above the last bound
  for (size_t bin = 1; bin < bins && begin < values->size(); ++bin) {
    // The rest is shared equally among the bins that are left; a part ends where the value changes.
    const size_t share = std::max<size_t>(1, (values->size() - begin) / (bins - bin + 1));
    const auto end = std::upper_bound(values->begin() + static_cast<std::ptrdiff_t>(begin), values->end(), (*values)[begin + share - 1]);
    if (end == values->end()) break;
    const double below = *(end - 1), middle = below / 2 + *end / 2;
    bounds.push_back(middle >= below && middle < *end ? middle : below);
    begin = static_cast<size_t>(end - values->begin());
  }
  return bounds;
}

uint8_t CodeOf(std::span<const double> bounds, double x) {
  return static_cast<uint8_t>(std::lower_bound(bounds.begin(), bounds.end(), x) - bounds.begin());
}

}  // namespace everlearn
