// Models inside models and in model files: what kind a model is, its parameters, and its arrays under a prefix.
//
// Pure functions, safe from any thread.
#pragma once

#include <memory>
#include <string>

#include "model/model.h"

namespace everlearn {

// {"kind", "parameters"}; arrays go to `file` under `prefix`, which ends in a dot.
JsonObject SaveModel(const Model& model, const std::string& prefix, ArrayFileWriter* file);

// The model of that JSON, checked as from a stranger: its kind is known, it has so many features and outputs, and it lies at most
// kMaxNesting models deep, by the dots of the prefix. Throws kDamaged.
constexpr size_t kMaxNesting = 8;
std::shared_ptr<const Model> LoadModel(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs);

}  // namespace everlearn
