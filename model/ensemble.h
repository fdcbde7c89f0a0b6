// The weighted average of the predictions of several models (probabilities or values).
//
// Immutable. A bag of the models of k folds is an ensemble of equal weights.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/model.h"

namespace everlearn {

struct EnsembleMember {
  std::shared_ptr<const Model> model;
  double weight = 0;
};

// Weights are at least 0 and sum to 1 (±1e-9). A member of weight 0 is left out, and the same model twice is one member with both weights,
// at its first place. Throws kDamaged where weights are wrong, no member is left, or members differ in features or outputs.
std::shared_ptr<const Model> MakeEnsemble(std::vector<EnsembleMember> members);

// Equal weights.
std::shared_ptr<const Model> MakeBag(const std::vector<std::shared_ptr<const Model>>& models);

// The members of an ensemble or bag; empty where the model is none. They live as long as the model.
std::span<const EnsembleMember> EnsembleMembers(const Model& model);

}  // namespace everlearn
