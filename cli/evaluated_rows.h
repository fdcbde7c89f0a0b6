// The rows of a source whose target is known, predicted by a model: what `evaluate` and `fit --test` measure.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "evaluation/metric.h"
#include "model/model_file.h"

namespace everlearn {

struct EvaluatedRows {
  std::vector<double> truth, predictions, weights;
  size_t without_target = 0;

  Scored Scores(const Task& task) const { return {truth, predictions, task.labels.size(), weights, task.decision}; }
};

// Rows without a target are left out and counted. A label that the model does not know is an error (kInput): no measure of probabilities is
// defined there, and to leave such rows out would flatter the model. So is a source without any row to measure. Warns of what its reader
// warns of.
EvaluatedRows EvaluateRows(const ModelFile& model, const std::string& source, const CommonOptions& options);

}  // namespace everlearn
