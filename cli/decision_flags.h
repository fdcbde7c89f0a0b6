// The flags that say what is made of a model's predictions: --cost of errors, --coverage of intervals.
#pragma once

#include <string>
#include <vector>

#include "data/task.h"

namespace CLI {
class App;
}

namespace everlearn {

// Declares --cost: NAME=NUMBER, several with commas or repeated. NAME is a label, and the number what it costs to predict another class for
// a row of it; or, where there are two classes, fn (the second label missed) and fp (the first). What is not named costs 1.
void AddCostFlag(CLI::App& app, std::vector<std::string>* costs);
// Checks what can be checked before the data is read. Throws kUsage.
void CheckCosts(const std::vector<std::string>& costs);
// The costs as Task::decision: the class with the largest cost × probability is the one whose choice is expected to cost least. Empty where
// no costs are given. Throws kUsage where a name is no class of the task.
std::vector<double> CostDecision(const std::vector<std::string>& costs, const Task& task);

// Declares --coverage, from 0.5 to 0.99; 0: not given.
void AddCoverageFlag(CLI::App& app, double* coverage, const std::string& summary);

}  // namespace everlearn
