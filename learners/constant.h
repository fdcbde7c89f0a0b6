// The constant prediction, which other learners fall back to where there is nothing to learn.
#pragma once

#include <memory>

#include "learner/learner.h"

namespace everlearn {

// Weighted class shares with half a row added to each class (Krichevsky & Trofimov 1981), or the weighted mean. Thread-safe.
std::shared_ptr<const Model> FitConstant(const TrainingRows& training);

}  // namespace everlearn
