// everlearn learners: the algorithms that there are, or one of them with its parameters.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/terminal.h"
#include "learner/learner.h"

namespace everlearn {
namespace {

std::string Tasks(const LearnerInfo& learner) {
  std::string text;
  const auto add = [&text](bool can, const char* name) {
    if (can) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(learner.binary, "binary");
  add(learner.multiclass, "multiclass");
  add(learner.regression, "regression");
  return text;
}

std::string RangeText(const Parameter& parameter) {
  if (parameter.type == ParameterType::kBoolean) return "true, false";
  if (parameter.type != ParameterType::kChoice)
    return Figure(parameter.low) + " … " + Figure(parameter.high) + (parameter.scale == ParameterScale::kLog ? " (log)" : "");
  std::string text;
  for (const std::string& choice : parameter.choices) text += (text.empty() ? "" : ", ") + choice;
  return text;
}

void PrintList() {
  std::vector<std::vector<std::string>> rows{{"name", "tasks", "online", "what it is"}};
  for (const std::string& name : Learners().Names()) {
    const LearnerInfo& learner = Learners().Get(name);
    rows.push_back({name, Tasks(learner), learner.online() ? "yes" : "", learner.summary});
  }
  PrintText(AlignedTable(rows));
}

void PrintDetails(const std::string& name) {
  const LearnerInfo& learner = Learners().Get(name);
  std::string text = name + ": " + learner.summary + "\n\ntasks:   " + Tasks(learner) + "\nweights: " + (learner.weights ? "yes" : "no") +
                     "\nonline:  " + (learner.online() ? "yes" : "no") + "\npaper:   " + learner.paper + "\n";
  if (!learner.parameters.empty()) {
    const Json defaults = ParameterValues(learner.parameters).ToJson();
    std::vector<std::vector<std::string>> rows{{"parameter", "default", "range", "what it does"}};
    for (const Parameter& p : learner.parameters) rows.push_back({p.name, CellText(Field(defaults, p.name)), RangeText(p), p.doc});
    text += "\n" + AlignedTable(rows);
  }
  PrintText(text);
}

int ShowLearners(const std::string& name, const CommonOptions& options) {
  if (!name.empty()) Learners().Get(name);
  if (options.json) {
    JsonArray list;
    for (const std::string& each : name.empty() ? Learners().Names() : std::vector{name}) list.push_back(DescribeLearner(each));
    PrintDocument(JsonObject{{"learners", list}});
  } else if (name.empty()) {
    PrintList();
  } else {
    PrintDetails(name);
  }
  return 0;
}

[[maybe_unused]] const bool registered =
    Commands().Add("learners", {.order = 70,
                                .summary = "list the learners, or show one with its parameters",
                                .example = "everlearn learners gradient_boosting",
                                .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                                  auto name = std::make_shared<std::string>();
                                  app.add_option("NAME", *name, "a learner")->type_name("");
                                  return [name, &options] { return ShowLearners(*name, options); };
                                }});

}  // namespace
}  // namespace everlearn
