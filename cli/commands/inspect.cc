// everlearn inspect: what is in a model file.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/command.h"
#include "cli/terminal.h"
#include "model/model_file.h"

namespace everlearn {
namespace {

std::string_view KindOf(const ModelFile& file, const Feature& feature) {
  if (feature.is_lag()) return "lag";
  const ColumnSchema* column = file.schema.Find(feature.column);
  return column == nullptr ? std::string_view("") : std::string_view(column->kind);
}

JsonArray DescribeFeatures(const ModelFile& file) {
  JsonArray features;
  for (const Feature& feature : file.space.features()) {
    JsonObject json{{"name", feature.name}, {"column", feature.column}, {"kind", KindOf(file, feature)}};
    if (feature.is_category()) json["categories"] = feature.dictionary.size();
    features.push_back(std::move(json));
  }
  return features;
}

std::string FeatureText(const ModelFile& file) {
  if (file.space.size() == 0) return "";
  std::vector<std::vector<std::string>> rows{{"feature", "kind", "categories"}};
  for (const Feature& feature : file.space.features())
    rows.push_back({feature.name, std::string(KindOf(file, feature)), feature.is_category() ? Grouped(feature.dictionary.size()) : ""});
  return "\n" + AlignedTable(rows);
}

int Inspect(const std::string& path, const CommonOptions& options) {
  const ModelFile file = ModelFile::Load(path);
  const uint64_t bytes = std::filesystem::file_size(path);
  if (options.json) {
    PrintDocument(JsonObject{{"model", path},
                             {"bytes", bytes},
                             {"hash", file.bytes_hash},
                             {"kind", file.model->kind()},
                             {"outputs", file.model->outputs()},
                             {"task", file.task.ToJson()},
                             {"features", DescribeFeatures(file)},
                             {"can_go_on_learning", !file.state.empty()},
                             {"notes", file.notes}});
    return 0;
  }
  std::string text = path + ": a model of kind " + std::string(file.model->kind()) + ", " + Grouped(bytes) + " bytes\n";
  text += "predicts '" + file.task.target + "' (" + std::string(TaskKindName(file.task.kind)) + ", metric " + file.task.metric + ")\n";
  for (const std::string& label : file.task.labels) text += (&label == &file.task.labels.front() ? "classes: " : ", ") + label;
  if (!file.task.labels.empty()) text += "\n";
  if (file.notes.is_object() && !file.notes.get_object().empty()) text += "notes: " + ToText(file.notes, true) + "\n";
  PrintText(text + FeatureText(file));
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("inspect", {.order = 80,
                               .summary = "show what is in a model file",
                               .example = "everlearn inspect loans.safetensors",
                               .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                 auto path = std::make_shared<std::string>();
                                 app.add_option("MODEL", *path, "model file")->required()->type_name("");
                                 return [path, &options] { return Inspect(*path, options); };
                               }});

}  // namespace
}  // namespace everlearn
