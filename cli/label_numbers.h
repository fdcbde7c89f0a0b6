// Flags that give the labels of a task numbers: LABEL=NUMBER, such as --cost and --class-weight.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/task.h"

namespace everlearn {

struct LabelNumber {
  std::string label;
  double number;  // NaN where the text has none
};
// A label may hold "=": the last one counts.
LabelNumber SplitLabelNumber(const std::string& text);

// One number a label of the task, 1 where none is given. `index_of`: the place of a name, or it throws. `flag` and `noun` are for the error
// (kUsage) where a label has two.
std::vector<double> NumberOfEachLabel(const std::vector<LabelNumber>& given, const Task& task, const std::string& flag,
                                      const std::string& noun, const std::function<size_t(const std::string& name)>& index_of);

}  // namespace everlearn
