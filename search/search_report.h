// What a search under a budget says at its end: the leaderboard with the ensemble, and what later searches may learn from its trials.
//
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "search/budgeted_search.h"
#include "search/final_model.h"
#include "search/trials.h"

namespace everlearn {

// Of those that are not NaN; NaN where there are none.
double MeanOfKnown(const std::vector<double>& values);

// What a learner declares for a fit on the first fold.
double TrainingUnits(const Candidate& candidate, const Dataset& data, const std::vector<Fold>& folds);

std::vector<ExperienceTrial> LearntByTrials(const Trials& trials, const Dataset& data, const std::vector<Fold>& folds,
                                            const Metric& metric);

// Fills the board, the model and its members; `result` holds the constant's loss already. `spent_seconds`: of all fits.
void DescribeResult(const Trials& trials, const std::vector<Fold>& folds, const std::string& metric, double spent_seconds, FinalModel final,
                    BudgetedSearchResult* result);

}  // namespace everlearn
