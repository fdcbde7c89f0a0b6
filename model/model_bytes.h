// A model alone as bytes: how it travels between processes of one program version.
//
// Pure functions. For files that last, see model_file.h.
#pragma once

#include <memory>
#include <string>

#include "model/model.h"

namespace everlearn {

std::string ModelBytes(const Model& model);

// Throws kDamaged, naming the bytes by `name`.
std::shared_ptr<const Model> ModelFromBytes(std::string bytes, const std::string& name);

}  // namespace everlearn
