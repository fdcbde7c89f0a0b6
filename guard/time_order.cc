// Folds that are not in order of time, where a time is known and the target drifts with it: what is measured is not what a model of the
// past does in the future. A column is a time where it says so, or where it never falls from row to row.
#include "guard/time_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace everlearn {
namespace {

constexpr size_t kBlocks = 10;
constexpr size_t kRowsPerBlock = 20;
constexpr double kShare = 0.02;     // of the variance of the target that lies between blocks of time, at least,
constexpr double kTimesChance = 5;  // and so many times what blocks of chance have
constexpr size_t kDifferentTimes = 50;

bool NeverFalls(const GuardInput& input, const GuardColumn& column) {
  size_t different = 1;
  for (size_t i = 0; i < input.rows; ++i) {
    if (std::isnan(column.At(i))) return false;
    if (i == 0) continue;
    if (column.At(i) < column.At(i - 1)) return false;
    different += column.At(i) > column.At(i - 1) ? 1 : 0;
  }
  return different >= kDifferentTimes;
}

std::vector<uint32_t> RowsInOrder(const GuardInput& input, const GuardColumn& column) {
  std::vector<uint32_t> rows(input.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  std::erase_if(rows, [&](uint32_t i) { return std::isnan(column.At(i)); });
  std::stable_sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) { return column.At(a) < column.At(b); });
  return rows;
}

// Share of the variance of the target that lies between blocks of consecutive rows.
double ShareBetweenBlocks(const GuardInput& input, const std::vector<uint32_t>& rows) {
  const size_t outputs = std::max<size_t>(input.classes, 1), n = rows.size();
  std::vector<double> totals(outputs, 0.0);
  double squares = 0, between = 0;
  for (size_t b = 0; b < kBlocks; ++b) {
    std::vector<double> sums(outputs, 0.0);
    const size_t first = b * n / kBlocks, end = (b + 1) * n / kBlocks;
    for (size_t i = first; i < end; ++i) {
      const double y = input.target[rows[i]];
      sums[input.classes > 0 ? static_cast<size_t>(y) : 0] += input.classes > 0 ? 1.0 : y;
      squares += input.classes > 0 ? 1.0 : y * y;
    }
    for (size_t k = 0; k < outputs; ++k) {
      between += sums[k] * sums[k] / static_cast<double>(end - first);
      totals[k] += sums[k];
    }
  }
  double mean = 0;
  for (const double total : totals) mean += total * total / static_cast<double>(n);
  return squares > mean ? (between - mean) / (squares - mean) : 0.0;
}

}  // namespace

std::vector<GuardFinding> FindTimeOrder(const GuardInput& input) {
  if (input.time_ordered) return {};
  for (const GuardColumn& column : input.columns) {
    if (column.is_category || column.is_part || !(column.is_time || NeverFalls(input, column))) continue;
    const std::vector<uint32_t> rows = RowsInOrder(input, column);
    if (rows.size() < kBlocks * kRowsPerBlock) continue;
    const double share = ShareBetweenBlocks(input, rows);
    const double chance = static_cast<double>(kBlocks - 1) / static_cast<double>(rows.size());
    if (share < kShare || share < kTimesChance * chance) continue;
    return {
        {"time_order", column.name,
         fmt::format("the target changes with '{}' ({:.0f}% of its variance lies between tenths of the time), and folds mix earlier and "
                     "later rows; if later rows are to be predicted, use --time {}",
                     column.name, 100 * share, column.name)}};
  }
  return {};
}

}  // namespace everlearn
