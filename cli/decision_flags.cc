#include "cli/decision_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/suggest.h"
#include "cli/label_numbers.h"
#include "model/intervals.h"

namespace everlearn {
namespace {

LabelNumber ParseCost(const std::string& text) {
  const LabelNumber cost = SplitLabelNumber(text);
  if (!(cost.number >= 0) || !std::isfinite(cost.number))
    throw Error(ErrorKind::kUsage, "--cost: '" + text + "' is no cost", "write it as NAME=NUMBER, such as fn=5,fp=1");
  return cost;
}

// The class that a cost is about.
size_t ClassOf(const std::string& name, const Task& task) {
  const int label = task.LabelIndex(name);
  if (label >= 0) return static_cast<size_t>(label);
  if (task.labels.size() == 2 && (name == "fn" || name == "fp")) return name == "fn" ? 1 : 0;
  std::vector<std::string> names = task.labels;
  if (task.labels.size() == 2) names.insert(names.end(), {"fn", "fp"});
  throw Error(ErrorKind::kUsage, "--cost: '" + name + "' is no class of '" + task.target + "'", SuggestionHint(name, names));
}

}  // namespace

void AddCostFlag(CLI::App& app, std::vector<std::string>* costs) {
  app.add_option("--cost", *costs, "what errors cost: fn=5,fp=1 (two classes), or LABEL=5,… for rows of a label; others 1")
      ->delimiter(',')
      ->type_name("NAME=NUMBER");
}

void CheckCosts(const std::vector<std::string>& costs) {
  for (const std::string& text : costs) ParseCost(text);
}

std::vector<double> CostDecision(const std::vector<std::string>& costs, const Task& task) {
  if (costs.empty()) return {};
  if (!task.is_classification())
    throw Error(ErrorKind::kUsage, "--cost: the task is regression, there are no classes to choose from", "leave out --cost");
  std::vector<LabelNumber> given;
  for (const std::string& text : costs) given.push_back(ParseCost(text));
  const std::vector<double> weights =
      NumberOfEachLabel(given, task, "--cost", "costs", [&](const std::string& name) { return ClassOf(name, task); });
  if (*std::max_element(weights.begin(), weights.end()) == 0)
    throw Error(ErrorKind::kUsage, "--cost: no error costs anything", "give one class a cost above 0");
  return weights;
}

void AddCoverageFlag(CLI::App& app, double* coverage, const std::string& summary) {
  app.add_option("--coverage", *coverage, summary + ", 0.5 to 0.99")->check(CLI::Range(kLeastCoverage, kMostCoverage))->type_name("SHARE");
}

}  // namespace everlearn
