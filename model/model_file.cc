// Writes and reads model files. Metadata "everlearn" is the manifest; arrays `model.*` belong to the model, `space.*` to the features,
// `intervals.*` to the intervals, `state` to an online learner.
#include "model/model_file.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "model/check.h"
#include "model/nested.h"

namespace everlearn {
namespace {

constexpr int64_t kFormatVersion = 2;
constexpr const char* kManifest = "everlearn";
constexpr const char* kModelPrefix = "model.";
constexpr const char* kState = "state";
constexpr const char* kIntervals = "intervals";

ArrayFileWriter Writer(const ModelFile& model_file) {
  ArrayFileWriter file;
  JsonObject manifest;
  manifest["format_version"] = kFormatVersion;
  manifest["task"] = model_file.task.ToJson();
  manifest["schema"] = model_file.schema.ToJson();
  manifest["space"] = model_file.space.Save(&file);
  for (auto& [name, value] : SaveModel(*model_file.model, kModelPrefix, &file)) manifest[name] = std::move(value);
  manifest["notes"] = model_file.notes;
  if (model_file.intervals) manifest[kIntervals] = model_file.intervals.Save("intervals.", &file);
  if (!model_file.state.empty()) {
    file.Add(kState, std::span(reinterpret_cast<const uint8_t*>(model_file.state.data()), model_file.state.size()));
  }
  file.SetText(kManifest, ToText(manifest));
  return file;
}

// Every column that a feature comes from must be one that a source is conformed to.
void CheckColumns(const FeatureSpace& space, const Schema& schema) {
  for (const Feature& feature : space.features()) {
    if (feature.is_lag()) continue;
    const ColumnSchema* column = schema.Find(feature.column);
    CheckModel(column != nullptr, "a feature comes from a column that is not in its schema");
    const auto comes_from = [&](FeaturePart part, ColumnType type) {
      CheckModel((feature.part == part) == (column->type == type), "a feature and its column differ in type");
    };
    comes_from(FeaturePart::kCategory, ColumnType::kCategory);
    comes_from(FeaturePart::kText, ColumnType::kText);
    const bool whole = feature.part == FeaturePart::kCategory || feature.part == FeaturePart::kValue || feature.part == FeaturePart::kText;
    CheckModel(whole || column->type == ColumnType::kTimestamp, "a feature is part of a column that is no timestamp");
  }
}

ModelFile Read(const ArrayFile& file, const Json& manifest) {
  CheckModel(file.ChecksumMatches(), "the checksum does not match");
  ModelFile result;
  result.task = Task::FromJson(Field(manifest, "task"));
  result.schema = Schema::FromJson(Field(manifest, "schema"));
  result.space = FeatureSpace::Load(Field(manifest, "space"), file);
  CheckColumns(result.space, result.schema);
  const size_t outputs = result.task.outputs();
  CheckModel(outputs >= 1, "its task has no classes");
  result.model = LoadModel(manifest, kModelPrefix, file, result.space.size(), outputs);
  result.notes = Field(manifest, "notes");
  if (manifest.as_object().contains(kIntervals))
    result.intervals = Intervals::Load(Field(manifest, kIntervals), "intervals.", file, result.task.labels.size());
  if (file.Has(kState)) {
    const auto state = file.Get<uint8_t>(kState);
    result.state.assign(reinterpret_cast<const char*>(state.data()), state.size());
  }
  return result;
}

ModelFile ReadChecked(const ArrayFile& file, const std::string& name) {
  if (file.texts().count(kManifest) == 0)
    throw Error(ErrorKind::kDamaged, name + " is not a model file", "it was not written by everlearn");
  try {
    const Json manifest = ParseJson(file.Text(kManifest), "its manifest");
    const int64_t version = IntegerField(manifest, "format_version");
    if (version > kFormatVersion) {
      throw Error(
          ErrorKind::kDamaged,
          fmt::format("{} was written by a newer version of Everlearn (format {}; this one reads {})", name, version, kFormatVersion),
          "update everlearn");
    }
    CheckModel(version >= 1, "its format version is not known");
    return Read(file, manifest);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kDamaged && error.message().starts_with(name)) throw;
    throw Error(ErrorKind::kDamaged, name + " is damaged: " + error.message());
  }
}

}  // namespace

std::string ModelFile::Bytes() const { return Writer(*this).Bytes(); }

void ModelFile::Save(const std::string& path) const { Writer(*this).Save(path); }

ModelFile ModelFile::Load(const std::string& path) { return Parse(ArrayFile::ReadBytes(path), path); }

ModelFile ModelFile::Parse(std::string bytes, const std::string& name) {
  const uint64_t hash = HashBytes(bytes);
  const auto file = ArrayFile::Parse(std::move(bytes), name);
  ModelFile result = ReadChecked(*file, name);
  result.bytes_hash = HashText(hash);
  return result;
}

}  // namespace everlearn
