// Tests of whether two samples come from one distribution, from counts in the same bins.
//
// Counts are at least 0 and finite; both samples have as many bins. `clumping` is how many rows say together as much as one independent
// row would (the design effect, 1 where rows are independent): statistics are divided by it (Rao & Scott, The analysis of categorical
// data from complex sample surveys, 1981, first-order correction). Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>

namespace everlearn {

struct TwoSampleTest {
  double statistic = 0;
  double p = 1;
};

// Kolmogorov–Smirnov over ordered bins: the largest distance of the two distribution functions at the edges of bins. p by the asymptotic
// distribution with Stephens' correction (Use of the Kolmogorov–Smirnov, Cramér–von Mises and related statistics without extensive tables,
// 1970); conservative, since rows of a bin count as equal. 0 and 1 where a sample is empty.
TwoSampleTest KolmogorovSmirnov(std::span<const double> a, std::span<const double> b, double clumping = 1);

// Pearson's chi² of the table of two rows, without continuity correction. Bins of which a smaller expected count than 5 is seen in either
// sample are taken together. 0 and 1 where fewer than two bins are left.
TwoSampleTest ChiSquared(std::span<const double> a, std::span<const double> b, double clumping = 1);

// The design effect of counts that were taken in blocks of `block_rows` rows one after another: their chi² around the common shares, over
// its degrees of freedom; at least 1. `squares` holds for each bin the sum over blocks of its squared count, `total` the sum of counts.
double Clumping(std::span<const double> squares, std::span<const double> total, double block_rows);

}  // namespace everlearn
