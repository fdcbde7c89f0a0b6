#include "loop/task_frame.h"

#include "model/constant.h"
#include "model/model_file.h"

namespace everlearn {

std::string TaskFrame::Encode() const {
  const auto constant = MakeConstantModel(space.size(), std::vector<double>(task.outputs(), 1.0 / static_cast<double>(task.outputs())));
  return ModelFile{task, schema, space, constant, JsonObject{}, "", ""}.Bytes();
}

TaskFrame TaskFrame::Decode(const std::string& bytes) {
  ModelFile file = ModelFile::Parse(bytes, "the ledger's task");
  return {std::move(file.task), std::move(file.schema), std::move(file.space)};
}

}  // namespace everlearn
