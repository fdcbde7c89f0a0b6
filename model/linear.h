// Generalised linear models on standardised numbers and one weight a category code.
//
// Every feature has its own run of columns: a number two (the standardised value; 1 where it is missing), a category with n codes n + 1
// (1 at its code; the last column where it is missing). A code that training did not see adds nothing. Models are immutable.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/link.h"
#include "model/model.h"

namespace everlearn {

// Standardised numbers are held inside ±kLinearLimit, so that an infinite value gives no NaN.
constexpr double kLinearLimit = 1e12;

struct LinearColumns {
  std::vector<uint8_t> is_category;  // one a feature; so too mean and scale, which categories do not use
  std::vector<double> mean, scale;   // finite, scale not 0
  std::vector<uint64_t> begin;       // features + 1: first column of each feature, and the number of columns
  size_t columns() const { return begin.back(); }
};

// Columns for features of these kinds; `dictionary_sizes` counts for categories only.
LinearColumns MakeLinearColumns(const std::vector<bool>& is_category, const std::vector<size_t>& dictionary_sizes, std::vector<double> mean,
                                std::vector<double> scale);

// Calls visit(column, value) for the columns of a row that are not 0, in order.
template <typename Visit>
void ForEachLinearColumn(const LinearColumns& columns, const double* row, Visit&& visit) {
  for (size_t j = 0; j < columns.is_category.size(); ++j) {
    const double x = row[j];
    const uint64_t begin = columns.begin[j];
    if (columns.is_category[j]) {
      const uint64_t codes = columns.begin[j + 1] - begin - 1;
      if (!(x >= 0)) {
        visit(begin + codes, 1.0);
      } else if (x < static_cast<double>(codes)) {
        visit(begin + static_cast<uint64_t>(x), 1.0);
      }
    } else if (std::isnan(x)) {
      visit(begin + 1, 1.0);
    } else {
      visit(begin, std::clamp((x - columns.mean[j]) / columns.scale[j], -kLinearLimit, kLinearLimit));
    }
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
