// From the text of a LightGBM model to our own trees.
//
// Pure functions, safe from any thread. Format: LightGBM 4.7, BoosterSaveModelToString.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "learner/binned.h"
#include "model/linear_trees.h"

namespace everlearn {

// The trees of a LightGBM model. `codes` null: it was trained on raw values, and thresholds and the treatment of missing values are kept as
// they are. Otherwise it was trained on the codes of that table (a missing number as NaN): thresholds become raw values, and where a number
// was never missing in training, a missing one goes where more of the training rows went. Throws kInput where the text is not such a model
// or its objective has no link of ours. `leaf_rows` receives the number of training rows in each leaf. `linear`: it was
// trained on places in linear->ranges with linear leaves, and these are filled in.
// Adds the trees to those that `trees` has, of the earlier rounds of the same model.
void AppendLightGbm(const std::string& model_text, const BinnedTable* codes, TreesParameters* trees,
                    std::vector<int64_t>* leaf_rows = nullptr, LinearLeaves* linear = nullptr);
TreesParameters TreesFromLightGbm(const std::string& model_text, const BinnedTable* codes, size_t features, size_t outputs,
                                  std::vector<int64_t>* leaf_rows = nullptr, LinearLeaves* linear = nullptr);

// The same as a model that predicts.
std::shared_ptr<const Model> ModelFromLightGbm(const std::string& model_text, const BinnedTable* codes, size_t features, size_t outputs);

}  // namespace everlearn
