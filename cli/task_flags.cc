#include "cli/task_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "search/aim.h"
#include "search/quick_search.h"

namespace everlearn {
namespace {

struct Setting {
  std::string learner, parameter, value;
};

Setting ParseSetting(const std::string& text) {
  const size_t dot = text.find('.'), equals = text.find('=');
  if (dot == std::string::npos || equals == std::string::npos || dot > equals)
    throw Error(ErrorKind::kUsage, "--set: '" + text + "' is no setting", "write it as learner.parameter=value");
  return {text.substr(0, dot), text.substr(dot + 1, equals - dot - 1), text.substr(equals + 1)};
}

std::vector<std::string> MetricsFor(TaskKind kind) {
  std::vector<std::string> names;
  for (const std::string& name : Metrics().Names()) {
    if (Metrics().Get(name).fits(kind)) names.push_back(name);
  }
  return names;
}

}  // namespace

void AddTaskFlags(CLI::App& app, TaskFlags* flags) {
  const auto text = [&app](const char* name, std::string* value, const char* type, const char* doc) {
    return app.add_option(name, *value, doc)->type_name(type)->group("Task");
  };
  const auto list = [&app](const char* name, std::vector<std::string>* values, const char* type, const char* doc) {
    app.add_option(name, *values, doc)->type_name(type)->delimiter(',')->allow_extra_args(false)->expected(1, 1 << 20)->group("Task");
  };
  text("--target", &flags->task.target, "COL", "the column to predict")->required();
  text("--kind", &flags->task.kind, "KIND", "binary, multiclass or regression (default: by the target's values)");
  text("--metric", &flags->task.metric, "NAME", "measure that orders models (default: log_loss, or rmse)");
  list("--type", &flags->types, "COL=TYPE,…", "number, integer, boolean, timestamp, category or text, where the inferred one is wrong");
  list("--ignore", &flags->task.ignore, "COL,…", "columns that are no features");
  text("--weight", &flags->task.weight, "COL", "weight of each row");
  text("--group", &flags->task.group, "COL", "rows of one group stay in one fold");
  text("--time", &flags->task.time, "COL", "order of the rows; models are validated on later rows than they were fitted on");
  list("--key", &flags->task.key, "COL,…", "columns that identify a row; no features");
  app.add_option("--folds", flags->folds, "number of folds of the cross-validation (default: 5; of a search 8, or 5 with --quality fast)")
      ->check(CLI::Range(2, 1000))
      ->type_name("N")
      ->group("Task");
  list("--learners", &flags->learners, "NAME,…", "learners to try (default: the quick ones, in a search all; see everlearn learners)");
  list("--set", &flags->settings, "LEARNER.PARAMETER=VALUE,…", "a parameter's value");
}

void CheckTaskFlags(const TaskFlags& flags) {
  if (!flags.task.kind.empty()) ParseTaskKind(flags.task.kind);
  if (!flags.task.metric.empty()) Metrics().Get(flags.task.metric);
  ToInferOptions(flags, "");
  for (const std::string& name : flags.learners) Learners().Get(name);
  for (const std::string& text : flags.settings) {
    const Setting setting = ParseSetting(text);
    DefaultCandidate(setting.learner).parameters.Set(setting.learner, setting.parameter, setting.value);
  }
}

InferOptions ToInferOptions(const TaskFlags& flags, const std::string& source) {
  InferOptions options;
  options.source = source;
  for (const std::string& text : flags.types) {
    const size_t equals = text.rfind('=');
    if (equals == std::string::npos) throw Error(ErrorKind::kUsage, "--type: '" + text + "' has no '='", "write it as COL=TYPE");
    options.types[text.substr(0, equals)] = ParseColumnType(text.substr(equals + 1));
  }
  return options;
}

std::vector<Candidate> ChooseCandidates(const TaskFlags& flags, const Task& task, bool monotone) {
  const size_t classes = task.labels.size();
  const bool weighted = !task.weight.empty() || !flags.class_weights.empty();
  std::vector<Candidate> candidates;
  for (const std::string& name : flags.learners) {
    const LearnerInfo& learner = Learners().Get(name);
    if (!learner.supports(classes))
      throw Error(ErrorKind::kUsage, "the learner " + name + " cannot do " + std::string(TaskKindName(task.kind)) + " tasks",
                  "see: everlearn learners");
    if (weighted && !learner.weights)
      throw Error(ErrorKind::kUsage, "the learner " + name + " does not use weights",
                  std::string("leave out ") + (task.weight.empty() ? "--class-weight" : "--weight") + " or this learner");
    candidates.push_back(DefaultCandidate(name));
  }
  if (candidates.empty()) candidates = QuickCandidates(classes, weighted);
  for (Candidate& candidate : candidates) TakeAim(task.metric, monotone, &candidate);
  for (const std::string& text : flags.settings) {
    const Setting setting = ParseSetting(text);
    const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.learner == setting.learner; });
    if (found == candidates.end())
      throw Error(ErrorKind::kUsage, "--set " + text + ": the learner " + setting.learner + " is not tried", "add it with --learners");
    found->parameters.Set(setting.learner, setting.parameter, setting.value);
  }
  return candidates;
}

std::map<std::string, ParameterValues> LearnerSettings(const TaskFlags& flags) {
  std::map<std::string, ParameterValues> values;
  for (const std::string& text : flags.settings) {
    const Setting setting = ParseSetting(text);
    const auto found = values.try_emplace(setting.learner, Learners().Get(setting.learner).parameters).first;
    found->second.Set(setting.learner, setting.parameter, setting.value);
  }
  return values;
}

const Metric& CheckMetric(const Task& task) {
  const Metric& metric = Metrics().Get(task.metric);
  if (metric.fits(task.kind)) return metric;
  std::string known;
  for (const std::string& name : MetricsFor(task.kind)) known += (known.empty() ? "" : ", ") + name;
  throw Error(ErrorKind::kUsage, "the metric " + task.metric + " does not fit a " + std::string(TaskKindName(task.kind)) + " task",
              "these do: " + known);
}

}  // namespace everlearn
