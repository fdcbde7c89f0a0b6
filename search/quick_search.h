// The search without a clock: the quick learners, once each at their defaults, compared by cross-validation; the best one refitted on all
// rows. Used by `fit` and for the first models of the loop.
//
// Pure functions; bit-identical for a seed on any number of threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "search/cross_validation.h"

namespace everlearn {

struct SearchOptions {
  std::string metric = {};
  uint64_t seed = 0;
  int threads = 0;  // 0: all cores
  std::function<bool()> stop = {};
  std::vector<Candidate> candidates = {};  // empty: QuickCandidates of the data
  double budget_units = 0;                 // 0: none
  // Rows are in order of time: on the folds, bins are those of the first fold's train part, so that nothing is known of later rows.
  bool time_ordered = false;
  bool keep_predictions = false;
  std::function<void(size_t done, size_t all)> progress = {};
};

struct SearchResult {
  Leaderboard board;
  size_t best = 0;  // the row of the board whose candidate was refitted
  std::shared_ptr<const Model> model;
};

// A candidate at its learner's defaults. Throws kUsage where there is no such learner.
Candidate DefaultCandidate(const std::string& learner);

// The quick learners that can do the task (classes 0: regression) and, where there are weights, use them; one at its defaults each.
std::vector<Candidate> QuickCandidates(size_t classes, bool weights);

// Candidates are admitted in their order while Σ cost of (folds + 1) fits is inside `budget_units`; the others are rows with status
// stopped. The constant learner always runs, so that there is always a model. Without folds nothing can be compared: the constant model is
// measured on the rows it was fitted on, the others are stopped. Throws kUsage (metric) and kResource (not even a constant model fits in
// memory).
SearchResult RunQuickSearch(const Dataset& data, const std::vector<Fold>& folds, const SearchOptions& options);

// Refits the best rows of a board in turn until a fit succeeds, constant at the last; returns the row's index and the model. The refit
// itself is not stopped: it is what a stopped search has to give. Notes why better rows failed in their `reason`.
SearchResult FitBest(const Dataset& data, Leaderboard board, const std::vector<Candidate>& candidates, const SearchOptions& options,
                     size_t folds);

}  // namespace everlearn
