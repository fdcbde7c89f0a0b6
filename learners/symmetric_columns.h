// The columns that symmetric trees split on: codes of numbers, categories one against the rest, ordered target statistics of categories,
// of integers that behave like categories, and of combinations of them.
//
// Belongs to one fit and one thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/ordered_statistics.h"
#include "kernels/symmetric_tree.h"
#include "learner/learner.h"
#include "model/symmetric_trees.h"
#include "model/target_statistics.h"

namespace everlearn {

struct SymmetricColumnsOptions {
  size_t one_hot_max_size = 2;  // categories with at most so many values are split one against the rest
  size_t permutations = 4;
  size_t statistic_bins = 16;
  bool integers = true;  // integers that repeat may have statistics
  double smoothing = 1;  // rows of the average added to each value's mean
  uint64_t seed = 0;
};

class SymmetricColumns {
 public:
  // `targets`: components × rows, what statistics are means of; `weights` of mean 1, one a training row.
  SymmetricColumns(const TrainingRows& training, const FitOptions& fit, std::vector<std::vector<float>> targets, std::vector<float> weights,
                   const SymmetricColumnsOptions& options);

  size_t permutations() const { return orders_.size(); }
  // Codes of the training rows, statistics as the permutation has them; of the validation rows, with the statistics of all training rows.
  std::span<const CodeColumn> training(size_t permutation) const { return views_[permutation]; }
  std::span<const CodeColumn> validation() const { return validation_views_; }
  // The feature that a column is the plain value of, or -1.
  int64_t FeatureOf(size_t column) const;

  // Adds the statistics of the `most` combinations of `size` categories that explain most of the gradients left; larger ones grow from
  // those that were chosen before. `statistics`: as SymmetricTreeGrower has them, of all training rows.
  void AddCombinations(size_t size, size_t most, std::span<const float> statistics, size_t outputs);

  // Completes the trees: feature, threshold and `equal` of each split (of a column and code), and puts the statistics before them.
  std::shared_ptr<const Model> Finish(SymmetricTreesParameters trees, std::span<const SymmetricSplit> splits) const;

 private:
  struct Column {
    int64_t group = -1;    // whose statistic it is
    size_t statistic = 0;  // its place among the group's values
    uint32_t feature = 0;  // of a plain value
    bool one_versus_rest = false;
    uint32_t bins = 0, last_candidate = 255;
    std::vector<double> bounds;               // code > c is x > bounds[c]
    std::vector<std::vector<uint8_t>> codes;  // one a permutation; plain values have one for all
    std::vector<uint8_t> validation;
  };
  struct Group {
    std::vector<uint32_t> codings;
    std::vector<uint64_t> keys;
    std::vector<uint32_t> of_row;             // the number of each training row's key
    std::vector<uint32_t> of_validation;      // keys.size() where unseen
    std::vector<double> values, unseen;       // as StatisticsGroup
    std::vector<std::vector<double>> bounds;  // of each statistic
    std::vector<std::vector<uint8_t>> codes;  // of each statistic, in the first permutation
    double explained = 0;
  };

  void AddNumber(size_t feature);
  void AddOneVersusRest(size_t feature, const FeatureCoding& coding);
  void AddCoding(FeatureCoding coding);
  bool MakeIntegerCoding(size_t feature, FeatureCoding* coding) const;
  Group MakeGroup(std::vector<uint32_t> codings) const;
  void Score(Group* group, std::span<const float> statistics, size_t outputs) const;
  void AddGroup(Group group);
  template <typename Visit>
  void ForEachStatistic(const Group& group, size_t permutation, Visit visit) const;
  double Explained(std::span<const uint8_t> codes, std::span<const float> statistics, size_t outputs) const;
  double ExplainedByOrder(size_t feature, std::span<const float> statistics) const;
  void MakeViews();

  const TrainingRows& training_;
  std::span<const uint32_t> validation_rows_;
  std::function<bool()> stop_;
  std::vector<std::vector<float>> targets_;
  std::vector<double> priors_;
  std::vector<float> weights_;
  SymmetricColumnsOptions options_;
  std::vector<std::vector<uint32_t>> orders_;
  std::vector<FeatureCoding> codings_;
  std::vector<std::vector<uint32_t>> coded_, coded_validation_;  // of each coding
  std::vector<double> single_explained_;                         // of each coding alone
  std::vector<Column> columns_;
  std::vector<Group> groups_;
  std::vector<std::vector<CodeColumn>> views_;
  std::vector<CodeColumn> validation_views_;
};

}  // namespace everlearn
