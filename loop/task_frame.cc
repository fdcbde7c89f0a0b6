#include "loop/task_frame.h"

#include <algorithm>

#include "model/constant.h"
#include "model/model_file.h"

namespace everlearn {

std::vector<std::string> TaskFrame::RequestColumns() const {
  std::vector<std::string> columns = space.Columns();
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  };
  add(task.time);
  for (const std::string& name : task.key) add(name);
  return columns;
}

std::string TaskFrame::Encode() const {
  const auto constant = MakeConstantModel(space.size(), std::vector<double>(task.outputs(), 1.0 / static_cast<double>(task.outputs())));
  return ModelFile{task, schema, space, constant, JsonObject{}, "", ""}.Bytes();
}

TaskFrame TaskFrame::Decode(const std::string& bytes) {
  ModelFile file = ModelFile::Parse(bytes, "the ledger's task");
  return {std::move(file.task), std::move(file.schema), std::move(file.space)};
}

}  // namespace everlearn
