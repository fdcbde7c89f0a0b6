// The search under a budget: trials in worker processes, raced over the folds, an ensemble of the best ones' fold models at the end.
//
// Which trial comes next is the strategy's (search/strategy.h). A trial begins with the first fold; one that is far behind the best on the
// folds that both have goes no further (Maron & Moore, Hoeffding races, 1993, with a fixed margin instead of a bound, since the folds are
// few). Dear trials wait with their other folds until the search knows which of them the ensemble wants. The fold models of a member are
// its bag (Breiman 1996). Where a member is to be one model (tasks in order of time, a limit of latency), it is fitted again on all rows,
// with the rounds that were best on the fold.
//
// One thread calls it; it starts worker processes of its own and ends them before it returns.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/resources.h"
#include "search/cross_validation.h"
#include "search/experience.h"

namespace everlearn {

// A member of an earlier search's model, with the models of its first folds. They have not seen what this search validates on these folds.
struct EarlierTrial {
  Candidate candidate;
  std::vector<std::shared_ptr<const Model>> fold_models;
};

struct BudgetedSearchOptions {
  std::string metric = {};
  uint64_t seed = 0;
  int threads = 0;                         // worker processes at once; 0: all cores
  uint64_t memory_bytes = 0;               // of this process and its workers together; 0: no limit
  double seconds = 0;                      // from the start of `watch` to the model in hand; 0: no clock
  double units = 0;                        // Σ declared cost of all pieces; results are then bit-identical. One of the two is set
  Stopwatch watch = {};                    // began with the process
  std::string strategy = "auto";           // a registered strategy
  const Experience* experience = nullptr;  // what the strategy may know of; null: what the program ships with
  std::vector<Candidate> first = {};       // tried before all others
  std::vector<EarlierTrial> earlier = {};  // count as trials that are done
  std::vector<std::string> learners = {};  // allowed; empty: all that the strategy likes
  std::vector<int8_t> monotone = {};       // as FitOptions::monotone
  bool time_ordered = false;               // folds come from the newest to the oldest, each with less to learn from: no bags are made
  double max_latency = 0;                  // seconds a row of the final model; 0: no limit
  std::function<bool()> stop = {};         // true: end now, with the best so far
  std::function<void(double share, size_t trials)> progress = {};  // of the budget that is spent
};

// The best trial's metric on the first fold, fitted on fewer rows: would more rows help?
struct LearningCurvePoint {
  size_t rows = 0;
  double value = 0;
};

struct BudgetedSearchResult {
  Leaderboard board;  // with a row "ensemble" where there is one
  size_t best = 0;    // the row of the board that the model is
  std::shared_ptr<const Model> model;
  std::vector<size_t> members;              // rows of the board that are in the model
  std::vector<double> member_weights;       // of these
  std::vector<size_t> member_models;        // of each: how many models of its first folds are in its bag; 0: it is one model of all rows
  size_t trials = 0;                        // rows of the board whose `candidate` is below it are trials
  std::vector<double> predictions;          // of the model, out of fold: rows × outputs, NaN where there is none
  std::vector<double> fold_values;          // of the metric, on the folds that all members have
  double seconds_per_row = 0;               // to predict, of the model
  double train_value = 0;                   // mean of the members' on the rows they were fitted on, by their weights
  std::vector<LearningCurvePoint> curve;    // by rows; empty where there was no time for it
  uint64_t peak_memory_bytes = 0;           // of all processes together
  std::vector<ExperienceTrial> experience;  // what was learnt
  double constant_loss = 0;
  DataDescription description;
};

// `data` is moved into memory that workers map, and comes back as a view of it. Always gives a model: a constant one before all others.
// Throws kUsage (metric, strategy, learners), kResource (not even the data fits).
BudgetedSearchResult RunBudgetedSearch(std::unique_ptr<Dataset>* data, const std::vector<Fold>& folds,
                                       const BudgetedSearchOptions& options);

}  // namespace everlearn
