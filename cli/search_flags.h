// The flags of `fit` that say how a model is searched, and the search that they ask for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/resources.h"
#include "cli/command.h"
#include "cli/task_flags.h"
#include "cli/training_data.h"
#include "search/budgeted_search.h"

namespace CLI {
class App;
}

namespace everlearn {

struct SearchFlags {
  std::string budget;       // "" without one: the quick learners, no clock
  std::string quality;      // best, balanced, fast
  std::string max_latency;  // of one row's prediction
  std::string earlier;      // --continue: model file of an earlier search
  std::string strategy = "auto";
  std::string experience;             // file, "none", or "" for the user's own
  std::string leave_out;              // --leave-out: a source whose experience is not used
  std::vector<std::string> monotone;  // COL=+1, COL=-1
};

void AddSearchFlags(CLI::App& app, SearchFlags* flags);
// Checks all that can be checked before the data is read. Throws kUsage.
void CheckSearchFlags(const SearchFlags& flags);
// Whether there will be a search under a budget.
bool HasBudget(const SearchFlags& flags);
// Seconds from the start of the process to the model file; 0 without a clock.
double BudgetSeconds(const SearchFlags& flags);
// The folds of the cross-validation, where the user did not ask for a number.
int DefaultFolds(const SearchFlags& flags);

struct SearchedModel {
  Leaderboard board;
  size_t best = 0;  // row of the board that the model is
  std::shared_ptr<const Model> model;
  std::vector<double> predictions;  // out of fold: rows × outputs, NaN where there is none
  std::vector<double> fold_values;  // of the metric
  double train_value = kMissing;    // of the metric on rows that were trained on
  std::vector<LearningCurvePoint> curve;
  uint64_t peak_memory_bytes = 0;  // of all processes of the search
  JsonObject notes;                // for the model file: what a later search can begin with
  std::vector<SchemaWarning> warnings;
};

// Runs it; `watch` began with the process. An interrupt ends it with the best so far.
SearchedModel SearchModel(TrainingData* training, const TaskFlags& task, const SearchFlags& flags, const std::string& source,
                          const CommonOptions& options, const Stopwatch& watch);

}  // namespace everlearn
