// A model on top of others: its inputs are what they predict.
//
// Wolpert, Stacked generalization, Neural Networks 5 (1992). Immutable.
#pragma once

#include <memory>
#include <vector>

#include "model/model.h"

namespace everlearn {

// Numbers that one member gives the top model: its value; the log-odds of class 1 of two; the logarithm of each of more probabilities.
// Probabilities are held inside [1e-6, 1 − 1e-6]: a member that is too sure of itself is no outlier.
size_t StackInputs(size_t outputs);
void WriteStackInputs(const double* prediction, size_t outputs, double* inputs);

// The top model has members × StackInputs features, member after member. Throws kDamaged where there is no member, or they do not fit
// together.
std::shared_ptr<const Model> MakeStack(std::vector<std::shared_ptr<const Model>> members, std::shared_ptr<const Model> top);

}  // namespace everlearn
