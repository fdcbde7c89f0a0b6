// Quantile bins of numbers: each value that is frequent enough has its own bin, the others share the rest about equally.
#include "learner/binned.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>

#include "base/random.h"

namespace everlearn {

namespace {

constexpr size_t kMostSampledRows = 200'000;  // quantiles of more rows are estimated on a random sample of this size
constexpr uint64_t kSampleSeed = 0x62696e73;

// A bound between two neighbouring distinct values a < b: a <= bound < b.
double Midpoint(double a, double b) {
  const double middle = a / 2 + b / 2;
  return middle >= a && middle < b ? middle : a;
}

// Upper bounds of at most `max_bins` bins over sorted values; the last is +infinity.
std::vector<double> UpperBounds(const std::vector<double>& sorted, uint32_t max_bins) {
  std::vector<double> distinct;
  std::vector<size_t> counts;
  for (const double value : sorted) {
    if (distinct.empty() || value != distinct.back()) {
      distinct.push_back(value);
      counts.push_back(0);
    }
    ++counts.back();
  }
  // A value with more rows than an equal share closes a bin by itself; the others share the bins and rows that are left.
  const double equal_share = static_cast<double>(sorted.size()) / max_bins;
  const auto alone = [&](size_t i) { return distinct.size() <= max_bins || static_cast<double>(counts[i]) >= equal_share; };
  double rows_left = static_cast<double>(sorted.size());
  double bins_left = max_bins;
  for (size_t i = 0; i < distinct.size(); ++i) {
    if (!alone(i)) continue;
    rows_left -= static_cast<double>(counts[i]);
    bins_left -= 1;
  }
  std::vector<double> upper;
  double full = rows_left / std::max(1.0, bins_left);
  double in_bin = 0;
  for (size_t i = 0; i + 1 < distinct.size() && upper.size() + 1 < max_bins; ++i) {
    in_bin += static_cast<double>(counts[i]);
    if (!alone(i)) {
      rows_left -= static_cast<double>(counts[i]);
      if (in_bin < (alone(i + 1) ? full / 2 : full)) continue;
      bins_left -= 1;
      full = rows_left / std::max(1.0, bins_left);
    }
    upper.push_back(Midpoint(distinct[i], distinct[i + 1]));
    in_bin = 0;
  }
  upper.push_back(std::numeric_limits<double>::infinity());
  return upper;
}

// Sorted values without the missing ones.
std::vector<double> SampleColumn(const RowsView& rows, size_t column, size_t fit_rows, bool* missing) {
  std::vector<double> values;
  Random random = Random::Derive(kSampleSeed, column);
  const size_t count = std::min(fit_rows, kMostSampledRows);
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const double value = rows.row(fit_rows <= kMostSampledRows ? i : random.Below(fit_rows))[column];
    if (!std::isnan(value)) values.push_back(value);
  }
  *missing = values.size() < count;
  std::sort(values.begin(), values.end());
  return values;
}

struct CodeMemory {
  std::list<std::vector<uint8_t>> narrow;
  std::list<std::vector<uint16_t>> wide;
};

template <typename Code>
std::vector<Code> Codes(const RowsView& rows, size_t column, const BinnedColumn& binned) {
  std::vector<Code> codes(rows.rows);
  for (size_t i = 0; i < rows.rows; ++i) {
    const double value = rows.row(i)[column];
    uint32_t code = binned.bins;
    if (binned.is_category) {
      if (value >= 0 && value < binned.bins) code = static_cast<uint32_t>(value);
    } else if (!std::isnan(value)) {
      code = static_cast<uint32_t>(std::lower_bound(binned.upper.begin(), binned.upper.end(), value) - binned.upper.begin());
    }
    codes[i] = static_cast<Code>(code);
  }
  return codes;
}

}  // namespace

BinnedTable BinRows(const RowsView& rows, const std::vector<bool>& is_category, const std::vector<size_t>& dictionary_sizes,
                    size_t fit_rows, uint32_t max_bins) {
  BinnedTable table;
  table.rows = rows.rows;
  table.columns.resize(rows.columns);
  const size_t fitted = fit_rows == 0 ? rows.rows : std::min(fit_rows, rows.rows);
  const auto memory = std::make_shared<CodeMemory>();
  table.memory = memory;
  for (size_t j = 0; j < rows.columns; ++j) {
    BinnedColumn& column = table.columns[j];
    column.is_category = is_category[j];
    if (column.is_category) {
      column.bins = static_cast<uint32_t>(dictionary_sizes[j]);
    } else {
      bool missing = false;
      const std::vector<double> values = SampleColumn(rows, j, fitted, &missing);
      column.upper = UpperBounds(values, missing ? max_bins - 1 : max_bins);
      column.bins = static_cast<uint32_t>(column.upper.size());
    }
    if (column.bins <= std::numeric_limits<uint8_t>::max()) {
      column.codes8 = memory->narrow.emplace_back(Codes<uint8_t>(rows, j, column));
    } else {
      column.codes16 = memory->wide.emplace_back(Codes<uint16_t>(rows, j, column));
    }
  }
  return table;
}

}  // namespace everlearn
