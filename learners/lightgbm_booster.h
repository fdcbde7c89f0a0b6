// Trains LightGBM boosters on the shared codes of a data set, through its C API: one code is one bin.
//
// A LightGbmData belongs to one thread; several threads may train on data of their own at once. Each fit runs on one thread, whatever
// FitOptions.threads says: LightGBM keeps its number of threads in a global variable, and where cores are busy its barriers made a fit on
// two threads more than three times slower than on one. Errors of LightGBM are thrown as kInternal.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "learner/learner.h"
#include "model/linear_trees.h"

namespace everlearn {

// LightGBM's parameters by their names there.
using LightGbmParameters = std::map<std::string, std::string>;

// LightGBM's seed (it takes 31 bits) for ours.
std::string LightGbmSeed(uint64_t seed);

// The smallest leaf that still lets few rows be split: at most a tenth of them.
int64_t ClampedLeafRows(int64_t wanted, size_t rows);

// A target that is centred and scaled: labels are single precision in LightGBM.
struct StandardTarget {
  double mean = 0;
  double scale = 0;  // standard deviation; 0: there is nothing to learn
};
// `transform`, where it is given, is applied to each target first.
StandardTarget StandardiseTarget(const TrainingRows& training, const std::function<double(double)>& transform = {});

// Class indices, or standardised values; one a training row.
std::vector<float> LightGbmLabels(const TrainingRows& training, const StandardTarget& standard);

// Cost of a fit in units of 10 ms of one core: each tree's splits search all bins of all features in every leaf, and its rows pass through
// about log2(leaves) levels. `min_data_in_leaf` bounds the number of leaves.
double LightGbmCostUnits(double rows, double features, double trees, double leaves, double min_data_in_leaf);

// Adds FitOptions::monotone where it is given. LightGBM's "intermediate" method: "advanced" is known to break its word (LightGBM issues
// 5358 and 6155). Throws kUsage where a category is to be monotone.
void AddMonotone(const Dataset& data, std::span<const int8_t> monotone, LightGbmParameters* parameters);

// The ranges of numbers in the training rows, for leaves that are linear. Few values far outside of the others do not widen a range by more
// than twice the width of all but the outermost bins, so that the others keep their distances.
ColumnRanges TrainingRanges(const TrainingRows& training);

// Gets the rounds of a model, some at a time, as texts of models that hold these alone: the text of a large model is several times as large
// as its trees.
using LightGbmTexts = std::function<void(const std::string& text)>;

class LightGbmData;

// When boosting ends early: as soon as `patience` rounds in a row did not lower the loss on `rows`.
struct LightGbmEarlyStopping {
  const LightGbmData* rows = nullptr;  // null: all rounds are made and kept
  int64_t patience = 0;
  int64_t* rounds_made = nullptr;  // gets the number of rounds that are kept
};

// Rows as LightGBM sees them, with weights of mean 1.
class LightGbmData {
 public:
  // `labels`: one a row. Rows that are only measured on have the training rows as `reference`. `ranges`: leaves are to
  // be linear, and LightGBM sees the places of numbers in them instead of their codes, and makes bins of its own.
  LightGbmData(const TrainingRows& rows, std::span<const float> labels, const LightGbmData* reference = nullptr,
               const ColumnRanges* ranges = nullptr);

  // Boosts up to `rounds` times and gives the model to `take`, with early stopping up to the round whose loss (the objective's own) was the
  // lowest. `stop` is asked before each round but the first.
  void Train(const LightGbmParameters& parameters, int64_t rounds, const std::function<bool()>& stop, const LightGbmTexts& take,
             const LightGbmEarlyStopping& early = {}) const;

 private:
  std::string Describe(const LightGbmParameters& parameters) const;

  uint32_t max_bins_ = 0;
  bool linear_leaves_;
  std::unique_ptr<void, void (*)(void*)> handle_;
};

}  // namespace everlearn
