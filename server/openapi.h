// The OpenAPI 3.1 description of the service's paths, with the rows of its own tasks.
//
// Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "data/schema.h"
#include "data/task.h"

namespace everlearn {

struct OpenApiTask {
  std::string name;
  const Task* task;
  const Schema* schema;
  std::vector<std::string> columns;   // that a row may have
  std::vector<std::string> required;  // those that it must have
};

JsonObject OpenApiDocument(const std::string& version, const std::vector<OpenApiTask>& tasks);

}  // namespace everlearn
