#include "cli/class_weights.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/suggest.h"
#include "cli/label_numbers.h"

namespace everlearn {
namespace {

constexpr char kBalanced[] = "balanced";
constexpr double kLeastWeight = 1e-6, kMostWeight = 1e6;

LabelNumber Parse(const std::string& text) {
  const LabelNumber weight = SplitLabelNumber(text);
  if (!(weight.number >= kLeastWeight) || weight.number > kMostWeight)
    throw Error(ErrorKind::kUsage, "--class-weight: '" + text + "' is no weight of a class",
                "write balanced, or LABEL=NUMBER with a number from 0.000001 to 1000000, such as yes=5");
  return weight;
}

bool IsBalanced(const std::vector<std::string>& weights) { return weights.size() == 1 && weights[0] == kBalanced; }

std::vector<double> Balanced(std::span<const double> target, std::span<const double> rows, size_t classes) {
  std::vector<double> sums(classes, 0.0);
  for (size_t i = 0; i < target.size(); ++i) sums[static_cast<size_t>(target[i])] += rows[i];
  const double all = std::accumulate(sums.begin(), sums.end(), 0.0);
  const auto present = static_cast<double>(std::count_if(sums.begin(), sums.end(), [](double sum) { return sum > 0; }));
  for (double& sum : sums) sum = sum > 0 ? all / (present * sum) : 1;
  return sums;
}

std::vector<double> Named(const std::vector<std::string>& weights, const Task& task) {
  std::vector<LabelNumber> given;
  for (const std::string& text : weights) given.push_back(Parse(text));
  return NumberOfEachLabel(given, task, "--class-weight", "weights", [&](const std::string& name) {
    const int label = task.LabelIndex(name);
    if (label < 0)
      throw Error(ErrorKind::kUsage, "--class-weight: '" + name + "' is no class of '" + task.target + "'",
                  SuggestionHint(name, task.labels));
    return static_cast<size_t>(label);
  });
}

}  // namespace

void AddClassWeightFlag(CLI::App& app, std::vector<std::string>* weights) {
  app.add_option("--class-weight", *weights, "how much rows of a class count, to learners and in the metric: LABEL=5,…, or balanced")
      ->delimiter(',')
      ->type_name("LABEL=NUMBER|balanced")
      ->allow_extra_args(false)
      ->expected(1, 1 << 20)
      ->group("Task");
}

void CheckClassWeights(const std::vector<std::string>& weights) {
  if (IsBalanced(weights)) return;
  for (const std::string& text : weights) Parse(text);
}

std::vector<double> TimesClassWeights(const std::vector<std::string>& weights, const Task& task, std::span<const double> target,
                                      std::vector<double> rows) {
  if (weights.empty()) return rows;
  if (!task.is_classification())
    throw Error(ErrorKind::kUsage, "--class-weight: the task is regression, it has no classes", "leave it out, or use --weight");
  rows.resize(target.size(), 1.0);
  const std::vector<double> of_class = IsBalanced(weights) ? Balanced(target, rows, task.labels.size()) : Named(weights, task);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] *= of_class[static_cast<size_t>(target[i])];
  return rows;
}

}  // namespace everlearn
