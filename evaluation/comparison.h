// Means and standard errors of scores over folds, of one model and of the difference between two.
//
// The standard error is the standard deviation of the folds' values (n − 1) over the root of their number. The folds' training rows
// overlap, so it is somewhat too small (Bengio & Grandvalet, No unbiased estimator of the variance of k-fold cross-validation, 2004): it
// orders a leaderboard and is no test. Pure functions.
#pragma once

#include <span>

namespace everlearn {

struct Estimate {
  double value;           // NaN where no fold has a value
  double standard_error;  // NaN below two folds
};

// A fold where the metric is not defined (NaN) is left out.
Estimate MeanOverFolds(std::span<const double> values);

// a − b on the same folds; a fold where one of them is NaN is left out. Both have one value a fold (assert).
Estimate PairedDifference(std::span<const double> a, std::span<const double> b);

}  // namespace everlearn
