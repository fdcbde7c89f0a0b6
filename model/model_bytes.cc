// Texts of the array file: `kind`, `features`, `outputs`, `parameters`; arrays `model.*` belong to the model.
#include "model/model_bytes.h"

#include "model/check.h"

namespace everlearn {
namespace {

constexpr const char* kPrefix = "model.";

}  // namespace

std::string ModelBytes(const Model& model) {
  ArrayFileWriter file;
  file.SetText("kind", std::string(model.kind()));
  file.SetText("shape", ToText(JsonObject{{"features", model.features()}, {"outputs", model.outputs()}}));
  file.SetText("parameters", ToText(model.Save(kPrefix, &file)));
  return file.Bytes();
}

std::shared_ptr<const Model> ModelFromBytes(std::string bytes, const std::string& name) {
  const auto file = ArrayFile::Parse(std::move(bytes), name);
  const ModelKind* kind = ModelKinds().Find(file->Text("kind"));
  CheckModel(kind != nullptr, "its model kind is not known");
  const Json shape = ParseJson(file->Text("shape"), name);
  return kind->load(ParseJson(file->Text("parameters"), name), kPrefix, *file, static_cast<size_t>(IntegerField(shape, "features")),
                    static_cast<size_t>(IntegerField(shape, "outputs")));
}

}  // namespace everlearn
