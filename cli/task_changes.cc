#include "cli/task_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "base/error.h"
#include "base/timestamp.h"

namespace everlearn {
namespace {

class Comparison {
 public:
  explicit Comparison(const std::string& task) : task_(task) {}
  void Same(const std::string& what, const std::string& was, const std::string& wanted) const {
    if (was == wanted) return;
    throw Error(ErrorKind::kUsage,
                "the " + what + " of the task '" + task_ + "' is " + (was.empty() ? "none" : "'" + was + "'") +
                    " in its ledger, and cannot become " + (wanted.empty() ? "none" : "'" + wanted + "'"),
                "name another task or another ledger");
  }
  // What is left open is as it was.
  void SameIfGiven(const std::string& what, const std::string& was, const std::string& wanted) const {
    if (!wanted.empty()) Same(what, was, wanted);
  }

 private:
  const std::string& task_;
};

std::string Joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string ParametersText(const LoopOptions& options) {
  std::string text;
  for (const auto& [learner, values] : options.parameters) text += (text.empty() ? "" : ", ") + learner + " " + values;
  return text;
}

std::string NumberOrNone(double value) { return std::isnan(value) ? "unknown" : NumberText(value); }

std::string WindowText(const LoopOptions& options) {
  if (options.window_time > 0)
    return NumberText(static_cast<double>(options.window_time) / static_cast<double>(kMicrosecondsPerSecond)) + " s";
  return options.window_rows > 0 ? std::to_string(options.window_rows) + " rows" : "";
}

std::string InWords(const std::string& name, const Json& value) {
  const std::vector<std::string> autonomy{"observe", "suggest", "act"}, rules{"auto", "never", "by time", "by rows"};
  if (name == "autonomy") return autonomy[value.to_number<size_t>()];
  if (name == "retrain") return rules[value.to_number<size_t>()];
  return ToText(value);
}

}  // namespace

TaskChanges CompareTask(const std::string& name, const Task& task, const LoopState& state, const TaskFlags& flags, const LoopFlags& loop) {
  const Comparison compare(name);
  compare.Same("target", task.target, flags.task.target);
  compare.SameIfGiven("kind", std::string(TaskKindName(task.kind)), flags.task.kind);
  compare.SameIfGiven("metric", task.metric, flags.task.metric);
  compare.SameIfGiven("time", task.time, flags.task.time);
  compare.SameIfGiven("key", Joined(task.key), Joined(flags.task.key));

  LoopOptions wanted = ToLoopOptions(loop, flags, state.options.seed);
  SetMissingOutcome(loop.missing_outcome, task, &wanted);
  const LoopOptions& was = state.options;
  compare.SameIfGiven("roster", Joined(was.roster), Joined(wanted.roster));
  compare.SameIfGiven("setting", ParametersText(was), ParametersText(wanted));
  compare.SameIfGiven("detectors", Joined(was.detectors), Joined(wanted.detectors));
  compare.Same("row budget", NumberText(was.row_units), NumberText(wanted.row_units));
  compare.Same("lags", was.lags ? "auto" : "none", wanted.lags ? "auto" : "none");
  compare.Same("missing outcome", NumberOrNone(was.missing_outcome), NumberOrNone(wanted.missing_outcome));
  compare.Same("outcome window", WindowText(was), WindowText(wanted));
  if (state.evidence.pairs() > 0) compare.Same("error rate", NumberText(was.evidence.error_rate), NumberText(wanted.evidence.error_rate));

  TaskChanges changes;
  const JsonObject before = was.ToJson().as_object(), after = wanted.ToJson().as_object();
  for (const std::string& option : LoopOptions::Changeable()) {
    if (before.at(option) == after.at(option)) continue;
    changes.options[option] = after.at(option);
    changes.in_words.push_back(option + " is " + InWords(option, after.at(option)) + ", was " + InWords(option, before.at(option)));
  }
  return changes;
}

}  // namespace everlearn
