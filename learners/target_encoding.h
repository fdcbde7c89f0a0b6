// Target statistics of categories as features for another learner: a training row has those of the other folds, any other row those of all
// training rows.
//
// Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes, SIGKDD Explorations 3, 2001; out of fold as in Pargent
// et al., Regularized target encoding outperforms traditional methods, Computational Statistics 37, 2022. Belongs to one fit and one
// thread.
#pragma once

#include <memory>
#include <vector>

#include "learner/learner.h"
#include "learners/extended_rows.h"
#include "model/target_statistics.h"

namespace everlearn {

struct TargetEncodingOptions {
  size_t least_values = 16;  // features with fewer values have none of their own
  size_t crosses = 0;        // most pairs of features that have statistics, too: those that explain more than each of the two
  double strength = 10;      // rows of the mean target that are added to each value
  uint64_t seed = 0;
};

class TargetEncoding {
 public:
  // Encoded are categories, and integers that repeat. `validation` are the rows, not trained on, that are to be encoded as well.
  TargetEncoding(const TrainingRows& training, std::span<const uint32_t> validation, const TargetEncodingOptions& options);

  // No feature has statistics.
  bool empty() const { return groups_.empty(); }
  // The same rows with the statistics behind their features, in a data set that this object holds.
  TrainingRows training() const { return {extended_.data.get(), extended_.training}; }
  std::span<const uint32_t> validation() const { return extended_.validation; }
  // A model of those features as one of the original features.
  std::shared_ptr<const Model> Wrap(std::shared_ptr<const Model> inner) const;

 private:
  struct Group {
    StatisticsGroup statistics;
    std::vector<double> out_of_fold;  // training rows × width
    double explained = 0;             // part of the target's squared deviations that the out-of-fold means take away
  };

  void MakeTargets();
  void AddCodings(size_t least_values);
  bool IntegerValues(size_t feature, std::vector<double>* values) const;
  Group MakeGroup(std::vector<uint32_t> codings) const;
  void AddCrosses(size_t most);
  void Append(size_t i, uint32_t row, double* out) const;

  TrainingRows source_;
  TargetEncodingOptions options_;
  size_t components_ = 1;        // means of the target in a group, behind them the logarithm of its rows
  std::vector<double> targets_;  // training rows × components
  std::vector<double> means_;    // one a component
  std::vector<uint8_t> folds_;   // one a training row
  std::vector<FeatureCoding> codings_;
  std::vector<Group> groups_;
  ExtendedRows extended_;
};

}  // namespace everlearn
