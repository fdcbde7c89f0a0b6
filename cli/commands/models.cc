// everlearn models: who predicts and who did, with the hash of each model's file; from a service or a ledger.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/service_target.h"
#include "cli/terminal.h"
#include "loop/records.h"

namespace everlearn {
namespace {

JsonArray ModelsOf(const TargetFlags& target) {
  if (IsUrl(target.place)) return ServedTask(target).GetAll("models");
  const auto state = StateOf(*OpenTarget(target));
  JsonArray models;
  for (const Member& member : state->roster.members) {
    models.push_back(JsonObject{{"name", member.name},
                                {"learner", state->roster.LineageOf(member.id).learner},
                                {"role", RoleName(state->roster, member)},
                                {"hash", member.model_hash.empty() ? Json(nullptr) : Json(member.model_hash)},
                                {"version", member.version},
                                {"since_row", member.since_row},
                                {"day_one", member.id == state->roster.day_one}});
  }
  return models;
}

int ShowModels(const TargetFlags& target, const CommonOptions& options) {
  const JsonArray models = ModelsOf(target);
  if (options.json) {
    PrintDocument(JsonObject{{"models", models}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"name", "learner", "role", "hash", "version", "since_row"}};
  for (const Json& model : models) {
    rows.emplace_back();
    for (const std::string& name : std::vector(rows.front())) rows.back().push_back(CellOf(model, name));
  }
  PrintText(AlignedTable(rows));
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("models", {.order = 52,
                              .summary = "list the members of a task's roster, alive and retired, with the hashes of their models",
                              .example = "everlearn models http://127.0.0.1:8080 --task late",
                              .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                auto target = std::make_shared<TargetFlags>();
                                AddTargetFlags(app, "URL|LEDGER", target.get());
                                return [target, &options] { return ShowModels(*target, options); };
                              }});

}  // namespace
}  // namespace everlearn
