// --class-weight: rows of some classes count more, in what learners are fitted to and in what models are measured by.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/task.h"

namespace CLI {
class App;
}

namespace everlearn {

// Declares --class-weight: LABEL=NUMBER, several with commas or repeated (what is not named counts 1), or `balanced`.
void AddClassWeightFlag(CLI::App& app, std::vector<std::string>* weights);
// Checks what can be checked before the data is read. Throws kUsage.
void CheckClassWeights(const std::vector<std::string>& weights);

// The rows' weights (empty: all 1) times those of their classes. `balanced`: all classes weigh the same together, and all rows as much as
// before (scikit-learn's rule). `target`: class indices. Throws kUsage where the task has no classes, or a name is none of them.
std::vector<double> TimesClassWeights(const std::vector<std::string>& weights, const Task& task, std::span<const double> target,
                                      std::vector<double> rows);

}  // namespace everlearn
