// Quantiles for knots; additive effects of the categories, then one pass over the rows for each pair.
#include "learners/linear_encoding.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

namespace {

constexpr size_t kMostKnotRows = 50'000;
constexpr double kLargestKnot = 1e150;  // differences of knots stay finite
constexpr size_t kMostCells = 4096;
constexpr double kMostPairRows = 1e8;  // pairs × rows that are looked at
constexpr double kShrinkage = 10;      // rows of no effect that are added to each level

std::vector<uint32_t> EvenlySpread(std::span<const uint32_t> rows, size_t most) {
  const size_t step = rows.size() / std::max<size_t>(1, most) + 1;
  std::vector<uint32_t> some;
  for (size_t i = 0; i < rows.size(); i += step) some.push_back(rows[i]);
  return some;
}

// Levels of one category for some rows; the last level is missing or unseen.
std::vector<uint32_t> Levels(const Dataset& data, const std::vector<uint32_t>& rows, size_t feature) {
  const size_t codes = data.dictionary_size(feature);
  std::vector<uint32_t> levels;
  for (const uint32_t row : rows) {
    const double x = data.row(row)[feature];
    levels.push_back(static_cast<uint32_t>(x >= 0 && x < static_cast<double>(codes) ? static_cast<size_t>(x) : codes));
  }
  return levels;
}

// Residuals of the standardised target, or of the indicators of the classes (rows × outputs), after the effects of the categories.
class Residuals {
 public:
  Residuals(const Dataset& data, const std::vector<uint32_t>& rows) : outputs_(data.classes() > 2 ? data.classes() : 1) {
    values_.assign(rows.size() * outputs_, 0.0);
    double largest = 0;
    for (const uint32_t row : rows) largest = std::max(largest, std::abs(data.target()[row]));
    for (size_t i = 0; i < rows.size(); ++i) {
      const double y = data.target()[rows[i]];
      values_[i * outputs_ + (outputs_ == 1 ? 0 : static_cast<size_t>(y))] = outputs_ > 1 ? 1 : largest > 0 ? y / largest : 0;
    }
    TakeOut(std::vector<uint32_t>(rows.size(), 0), 1, 0);
  }

  void TakeOut(const std::vector<uint32_t>& levels, size_t count, double shrinkage) {
    std::vector<double> sums(count * outputs_, 0.0), rows(count, shrinkage);
    for (size_t i = 0; i < levels.size(); ++i) {
      rows[levels[i]] += 1;
      for (size_t k = 0; k < outputs_; ++k) sums[levels[i] * outputs_ + k] += values_[i * outputs_ + k];
    }
    for (size_t i = 0; i < levels.size(); ++i) {
      for (size_t k = 0; k < outputs_; ++k) values_[i * outputs_ + k] -= sums[levels[i] * outputs_ + k] / rows[levels[i]];
    }
  }

  // Of the cells of a pair; chance gives 0 on average.
  double PairGain(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b, size_t levels_a, size_t levels_b) const {
    std::vector<double> sums(levels_a * levels_b * outputs_, 0.0), rows(levels_a * levels_b, 0.0);
    double squares = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const size_t cell = a[i] * levels_b + b[i];
      rows[cell] += 1;
      for (size_t k = 0; k < outputs_; ++k) {
        const double value = values_[i * outputs_ + k];
        sums[cell * outputs_ + k] += value;
        squares += value * value;
      }
    }
    double gain = 0, cells = 0;
    for (size_t cell = 0; cell < rows.size(); ++cell) {
      if (rows[cell] == 0) continue;
      cells += 1;
      for (size_t k = 0; k < outputs_; ++k) gain += sums[cell * outputs_ + k] * sums[cell * outputs_ + k] / rows[cell];
    }
    return gain - cells * squares / static_cast<double>(a.size());
  }

 private:
  size_t outputs_;
  std::vector<double> values_;
};

struct Pair {
  double gain;
  uint32_t first, second;
};

}  // namespace

std::vector<std::vector<double>> SplineKnots(const TrainingRows& training, size_t stretches) {
  const Dataset& data = *training.data;
  std::vector<std::vector<double>> knots(data.features());
  const std::vector<uint32_t> rows = EvenlySpread(training.rows, kMostKnotRows);
  for (size_t j = 0; j < data.features(); ++j) {
    if (data.is_category(j)) continue;
    std::vector<double> values;
    for (const uint32_t row : rows) {
      if (const double x = data.row(row)[j]; std::abs(x) <= kLargestKnot) values.push_back(x);
    }
    if (values.empty()) continue;
    std::sort(values.begin(), values.end());
    std::vector<double> distinct = values;
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    if (distinct.size() > stretches + 1) {
      distinct.clear();
      for (size_t k = 0; k <= stretches; ++k) distinct.push_back(values[k * (values.size() - 1) / stretches]);
      distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    }
    if (distinct.size() > 2) knots[j] = std::move(distinct);
  }
  return knots;
}

std::vector<std::pair<uint32_t, uint32_t>> ChooseCrosses(const TrainingRows& training, size_t count) {
  const Dataset& data = *training.data;
  std::vector<Pair> pairs;
  for (uint32_t a = 0; a < data.features(); ++a) {
    for (uint32_t b = a + 1; b < data.features(); ++b) {
      if (!data.is_category(a) || !data.is_category(b)) continue;
      if ((data.dictionary_size(a) + 1) * (data.dictionary_size(b) + 1) <= kMostCells) pairs.push_back({0, a, b});
    }
  }
  if (pairs.empty()) return {};
  const std::vector<uint32_t> rows = EvenlySpread(training.rows, static_cast<size_t>(kMostPairRows / static_cast<double>(pairs.size())));
  Residuals residuals(data, rows);
  std::vector<std::vector<uint32_t>> levels(data.features());
  for (size_t j = 0; j < data.features(); ++j) {
    if (data.is_category(j)) levels[j] = Levels(data, rows, j);
  }
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t j = 0; j < data.features(); ++j) {
      if (data.is_category(j)) residuals.TakeOut(levels[j], data.dictionary_size(j) + 1, kShrinkage);
    }
  }
  for (Pair& pair : pairs) {
    pair.gain = residuals.PairGain(levels[pair.first], levels[pair.second], data.dictionary_size(pair.first) + 1,
                                   data.dictionary_size(pair.second) + 1);
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& x, const Pair& y) { return x.gain > y.gain; });
  std::vector<std::pair<uint32_t, uint32_t>> chosen;
  for (const Pair& pair : pairs) {
    if (chosen.size() < count && pair.gain > 0) chosen.emplace_back(pair.first, pair.second);
  }
  return chosen;
}

}  // namespace everlearn
