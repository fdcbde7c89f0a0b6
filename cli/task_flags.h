// The flags that say what to predict and with which learners; shared by `fit` and `replay`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/schema.h"
#include "data/task.h"
#include "search/cross_validation.h"

namespace CLI {
class App;
}

namespace everlearn {

struct TaskFlags {
  TaskOptions task;
  std::vector<std::string> types;               // COL=TYPE
  std::vector<std::string> learners;            // names
  std::vector<std::string> settings;            // learner.parameter=value
  std::vector<std::string> class_weights = {};  // of --class-weight (cli/class_weights.h), which only fit has
  int folds = 0;                                // 0: not given
  int default_folds = 5;                        // where they are not given
  bool content_folds = false;              // rows keep their fold as the table grows (cli/content_folds.h), where that gives even folds
  std::function<bool()> read_enough = {};  // of the training rows, as ReadOptions::enough
};

// Declares --target --kind --metric --type --ignore --weight --group --time --key --folds --learners --set.
void AddTaskFlags(CLI::App& app, TaskFlags* flags);

// Checks all that can be checked before the data is read (kind, metric, types, learners, parameters). Throws kUsage.
void CheckTaskFlags(const TaskFlags& flags);

// The columns' types as --type says them. Throws kUsage.
InferOptions ToInferOptions(const TaskFlags& flags, const std::string& source);

// The learners of --learners, or else the quick ones, with the loss that the metric asks for (unless they are to be monotone) and then the
// parameters of --set. Throws kUsage where a learner of --learners cannot do the task, and where --set names a learner that is not among
// them.
std::vector<Candidate> ChooseCandidates(const TaskFlags& flags, const Task& task, bool monotone);

// The parameters of every learner that --set names, the others at their defaults. Throws kUsage.
std::map<std::string, ParameterValues> LearnerSettings(const TaskFlags& flags);

// The metric of the task; throws kUsage where it does not fit the task's kind.
const Metric& CheckMetric(const Task& task);

}  // namespace everlearn
