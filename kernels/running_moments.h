// Running means and standard deviations of many columns of a stream at once (Welford, Note on a method for calculating corrected sums of
// squares and products, 1962), robust to single values: what lies more than 20 deviations away counts as 20.
//
// Pure functions over the caller's arrays, with the widest vectors of the machine and the same results on every machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace everlearn {

constexpr double kOutlierDeviations = 20;
constexpr double kRowsBeforeOutliers = 30;     // before these, nothing is an outlier
constexpr double kLargestStreamValue = 1e100;  // its square times any number of rows is still finite

struct RunningMoments {
  double count = 0, mean = 0, squares = 0;
  double deviation = 1;  // 1 while there is none

  // NaN is passed over.
  void Add(double value) {
    const bool known = value == value;
    double held = std::min(std::max(value, -kLargestStreamValue), kLargestStreamValue);
    const double reach = count >= kRowsBeforeOutliers && squares > 0 ? kOutlierDeviations * deviation : 3 * kLargestStreamValue;
    held = std::min(std::max(held, mean - reach), mean + reach);
    const double more = count + 1, from_mean = held - mean, moved = mean + from_mean / more;
    const double sum = squares + from_mean * (held - moved), root = std::sqrt(sum / more);
    count = known ? more : count;
    mean = known ? moved : mean;
    squares = known ? sum : squares;
    deviation = known ? (root > 1e-100 ? root : 1.0) : deviation;
  }
};

// One array a field of RunningMoments, `columns` long.
struct MomentArrays {
  double *count, *mean, *squares, *deviation;
};

void AddToMoments(const MomentArrays& moments, const double* values, size_t columns);

// out = (value - centre) / scale, held inside ±limit; 0 where the value is NaN.
void Standardise(const double* values, const double* centre, const double* scale, double limit, size_t columns, double* out);

}  // namespace everlearn
