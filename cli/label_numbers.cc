#include "cli/label_numbers.h"

#include <CLI/CLI.hpp>
#include <limits>

#include "base/error.h"

namespace everlearn {

LabelNumber SplitLabelNumber(const std::string& text) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const size_t equals = text.rfind('=');
  double number = kNone;
  if (equals != std::string::npos && !CLI::detail::lexical_cast(text.substr(equals + 1), number)) number = kNone;
  return {text.substr(0, equals), number};
}

std::vector<double> NumberOfEachLabel(const std::vector<LabelNumber>& given, const Task& task, const std::string& flag,
                                      const std::string& noun, const std::function<size_t(const std::string& name)>& index_of) {
  std::vector<double> numbers(task.labels.size(), 1.0);
  std::vector<bool> has(task.labels.size(), false);
  for (const LabelNumber& one : given) {
    const size_t label = index_of(one.label);
    if (has[label]) throw Error(ErrorKind::kUsage, flag + ": the label '" + task.labels[label] + "' has two " + noun, "give one");
    has[label] = true;
    numbers[label] = one.number;
  }
  return numbers;
}

}  // namespace everlearn
