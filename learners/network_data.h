// The inputs of a neural network: how features are scaled and embedded, learnt on training rows, and rows brought into that form.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/network.h"
#include "learner/learner.h"
#include "model/network_inputs.h"

namespace everlearn {

struct NetworkInputOptions {
  size_t number_width = 8;  // columns of the embedding of a number; 0: none
  size_t pieces = 32;       // most pieces of such an embedding, of about equal numbers of rows
  size_t one_hot = 8;       // categories with more levels have an embedding
};

// Medians, spreads, knots at quantiles. Numbers of fewer than three values get no embedding, and missing values an indicator where training
// has them.
NetworkInputs FitNetworkInputs(const TrainingRows& training, const NetworkInputOptions& options);

// The tables that belong to these inputs.
std::vector<NetworkTable> NetworkTables(const NetworkInputs& inputs);

// Rows in the form that a network takes. Weights have a mean of 1.
struct NetworkRows {
  NetworkRows(const NetworkInputs& inputs, const TrainingRows& rows, double target_mean, double target_scale);
  NetworkData data() const { return {fixed.data(), positions.data(), fractions.data(), targets.data(), weights.data()}; }

  std::vector<uint32_t> positions;
  std::vector<float> fractions, fixed, targets, weights;
};

// Gives levels that no row has the mean embedding of those that have one, weighted by their rows; so too missing values of categories.
// `tables`: rows × width of each table.
void FillUnseenLevels(const NetworkInputs& inputs, const NetworkRows& rows, std::span<float> tables);

}  // namespace everlearn
