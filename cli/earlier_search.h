// What a search leaves in its model file for the next one, and how that is read: `fit --continue`.
#pragma once

#include <string>
#include <vector>

#include "cli/training_data.h"
#include "search/budgeted_search.h"

namespace everlearn {

struct EarlierSearch {
  std::vector<Candidate> candidates;      // the best configurations, the best first
  std::vector<EarlierTrial> fold_models;  // of members, where folds and features are still the same
};

// Throws as ModelFile::Load, and kUsage where the model predicts something else. What cannot be taken over is a warning.
EarlierSearch ReadEarlierSearch(const std::string& model_file, const TrainingData& training, std::vector<SchemaWarning>* warnings);

// Adds `candidates`, `bags` and `fold_rule` to the notes of a model file.
void NoteSearch(const BudgetedSearchResult& result, const TrainingData& training, JsonObject* notes);

}  // namespace everlearn
