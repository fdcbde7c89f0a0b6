// How far off predictions are: conformal intervals of values, and sets of labels, for any coverage from 0.5 to 0.99.
//
// Split-conformal prediction (Vovk, Gammerman & Shafer, Algorithmic learning in a random world, 2005) from out-of-fold predictions. Values:
// residuals (truth − prediction) by bins of the prediction (Mondrian), so that the width follows the size of the errors, an equal tail on
// either side. Labels: all whose probability reaches the quantile of the true class's probability (LAC: Sadinle, Lei & Wasserman, 2019);
// a row that resembles none gets no label. Immutable.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/array_file.h"

namespace everlearn {

constexpr double kLeastCoverage = 0.5, kMostCoverage = 0.99;

struct IntervalsParameters {
  size_t classes = 0;           // 0: values
  std::vector<double> edges;    // ascending; a value belongs to the bin after the edges that are ≤ it. Empty for labels
  std::vector<uint64_t> begin;  // bins + 1: where the scores of each bin begin
  std::vector<double> scores;   // ascending in each bin: the j-th of m (from 1) is the quantile of level j / (m + 1)
  double coverage = 0;          // what predictions are to have unless they are asked for another; 0: none
};

class Intervals {
 public:
  Intervals() = default;  // none
  // Throws kDamaged where sizes, order or numbers are wrong.
  explicit Intervals(IntervalsParameters parameters);

  explicit operator bool() const { return !parameters_.begin.empty(); }
  size_t classes() const { return parameters_.classes; }
  double coverage() const { return parameters_.coverage; }

  // Lower and upper bound of a predicted value. Where a bin has too few scores for the coverage, its extremes.
  std::pair<double, double> Around(double prediction, double coverage) const;
  // Labels whose probability is at least this belong to the set.
  double LeastProbability(double coverage) const;

  Json Save(const std::string& prefix, ArrayFileWriter* file) const;
  static Intervals Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t classes);

 private:
  double Quantile(size_t bin, double level, bool upwards) const;
  IntervalsParameters parameters_;
};

}  // namespace everlearn
