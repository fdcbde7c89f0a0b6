// The model that always gives the same prediction: shares of the classes, or a mean.
//
// Immutable.
#pragma once

#include <memory>
#include <vector>

#include "model/model.h"

namespace everlearn {

// `values` are the outputs, finite. Throws kDamaged otherwise.
std::shared_ptr<const Model> MakeConstantModel(size_t features, std::vector<double> values);

}  // namespace everlearn
