// Generalised linear models on standardised numbers and one weight a category code.
//
// Every feature has its own run of columns: a number two (the standardised value; 1 where it is missing) and one for each stretch between
// neighbouring knots, a category with n codes n + 1 (1 at its code; the last column where it is missing). The column of a stretch rises
// from 0 to 1 along it (a linear spline; the piecewise linear encoding of Gorishniy, Rubachev & Babenko 2022). Behind the features stand
// the crosses of two categories, one column a pair of codes. A code that training did not see adds nothing. Models are immutable.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "model/link.h"
#include "model/model.h"

namespace everlearn {

// Standardised numbers are held inside ±kLinearLimit, so that an infinite value gives no NaN.
constexpr double kLinearLimit = 1e12;

struct LinearColumns {
  std::vector<uint8_t> is_category;  // one a feature; so too mean and scale, which categories do not use
  std::vector<double> mean, scale;   // finite, scale not 0
  std::vector<uint64_t> begin;       // features + crosses + 1: first column of each, and the number of columns
  // Knots of the numbers, feature after feature, ascending; knots_begin (features + 1) is empty where there are none.
  std::vector<double> knots;
  std::vector<uint64_t> knots_begin;
  std::vector<uint32_t> cross_first, cross_second;  // one a cross: its categories
  size_t columns() const { return begin.back(); }
};

// Columns for features of these kinds, without knots and crosses; `dictionary_sizes` counts for categories only.
LinearColumns MakeLinearColumns(const std::vector<bool>& is_category, const std::vector<size_t>& dictionary_sizes, std::vector<double> mean,
                                std::vector<double> scale);

// Gives every number the stretches between its knots (`knots`: one list a feature, empty or ascending and at least two), and adds the
// crosses of these pairs of categories.
void AddKnotsAndCrosses(const std::vector<std::vector<double>>& knots, const std::vector<std::pair<uint32_t, uint32_t>>& crosses,
                        LinearColumns* columns);

// The place of a category's value among its columns, or -1 for a code that training did not see.
inline int64_t LinearLevel(const LinearColumns& columns, size_t feature, double x) {
  const auto codes = static_cast<int64_t>(columns.begin[feature + 1] - columns.begin[feature]) - 1;
  return !(x >= 0) ? codes : x < static_cast<double>(codes) ? static_cast<int64_t>(x) : -1;
}

// The level of a cross, or -1 where one of its categories has none.
inline int64_t CrossLevel(const LinearColumns& columns, size_t cross, const double* row) {
  const uint32_t first = columns.cross_first[cross], second = columns.cross_second[cross];
  const int64_t a = LinearLevel(columns, first, row[first]), b = LinearLevel(columns, second, row[second]);
  return a < 0 || b < 0 ? -1 : a * static_cast<int64_t>(columns.begin[second + 1] - columns.begin[second]) + b;
}

// The value of the stretch between two knots at x.
inline double StretchValue(double low, double high, double x) { return x >= high ? 1.0 : x <= low ? 0.0 : (x - low) / (high - low); }

// Calls visit(column, value) for the columns of a row that are not 0, in order.
template <typename Visit>
void ForEachLinearColumn(const LinearColumns& columns, const double* row, Visit&& visit) {
  const size_t features = columns.is_category.size();
  for (size_t j = 0; j < features; ++j) {
    const double x = row[j];
    const uint64_t begin = columns.begin[j];
    if (columns.is_category[j]) {
      const int64_t level = LinearLevel(columns, j, x);
      if (level >= 0) visit(begin + static_cast<uint64_t>(level), 1.0);
    } else if (std::isnan(x)) {
      visit(begin + 1, 1.0);
    } else {
      visit(begin, std::clamp((x - columns.mean[j]) / columns.scale[j], -kLinearLimit, kLinearLimit));
      if (columns.knots_begin.empty()) continue;
      const double* knots = columns.knots.data() + columns.knots_begin[j];
      const uint64_t stretches = columns.begin[j + 1] - begin - 2;
      for (uint64_t s = 0; s < stretches && x > knots[s]; ++s) visit(begin + 2 + s, StretchValue(knots[s], knots[s + 1], x));
    }
  }
  for (size_t c = 0; c < columns.cross_first.size(); ++c) {
    const int64_t level = CrossLevel(columns, c, row);
    if (level >= 0) visit(columns.begin[features + c] + static_cast<uint64_t>(level), 1.0);
  }
}

struct LinearParameters {
  LinearColumns columns;
  size_t outputs = 1;
  Link link = Link::kIdentity;  // kIdentity, kSigmoid (one score, two outputs), kSoftmax or kExp
  std::vector<double> bias;     // one a score
  std::vector<double> weights;  // columns × scores, column after column
};

// score = bias + sum of value × weight over the columns in order; then the link. Throws kDamaged where sizes or numbers are wrong.
std::shared_ptr<const Model> MakeLinearModel(LinearParameters parameters);

}  // namespace everlearn
