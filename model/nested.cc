#include "model/nested.h"

#include <algorithm>

#include "model/check.h"

namespace everlearn {

JsonObject SaveModel(const Model& model, const std::string& prefix, ArrayFileWriter* file) {
  return {{"kind", model.kind()}, {"parameters", model.Save(prefix, file)}};
}

std::shared_ptr<const Model> LoadModel(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features,
                                       size_t outputs) {
  CheckModel(static_cast<size_t>(std::count(prefix.begin(), prefix.end(), '.')) <= kMaxNesting, "its models are nested too deep");
  const ModelKind* kind = ModelKinds().Find(TextField(json, "kind"));
  CheckModel(kind != nullptr, "its model kind is not known");
  auto model = kind->load(Field(json, "parameters"), prefix, file, features, outputs);
  CheckModel(model->features() == features && model->outputs() == outputs, "its model does not fit its features or classes");
  return model;
}

}  // namespace everlearn
