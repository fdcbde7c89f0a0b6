#include "cli/evaluated_rows.h"

#include "base/error.h"
#include "cli/scoring.h"

namespace everlearn {
namespace {

// Appends the rows of a batch that can be measured.
void AddBatch(const ScoringStream& stream, const ModelFile& model, EvaluatedRows* all) {
  const std::string& source = stream.source();
  const Task& task = model.task;
  const Column& target = stream.typed().Get(task.target, source);
  const std::vector<double> truth = TargetValues(stream.raw(), model.schema, task, source, true);
  const Column* weight = task.weight.empty() ? nullptr : &stream.typed().Get(task.weight, source);
  const size_t outputs = task.outputs();
  const auto place = [&](size_t i) { return source + ", row " + std::to_string(stream.rows_before() + i + 1); };
  for (size_t i = 0; i < truth.size(); ++i) {
    if (target.missing(i)) {
      ++all->without_target;
      continue;
    }
    if (std::isnan(truth[i]))
      throw Error(ErrorKind::kInput, place(i) + ": the model does not know the value '" + target.TextAt(i) + "' of '" + task.target + "'",
                  "leave such rows out with a query, or fit a model that knows them");
    if (weight != nullptr && !(weight->numbers[i] >= 0))
      throw Error(ErrorKind::kInput, place(i) + ": the weight '" + task.weight + "' is not a number ≥ 0");
    all->truth.push_back(truth[i]);
    all->predictions.insert(all->predictions.end(), &stream.predictions()[i * outputs], &stream.predictions()[(i + 1) * outputs]);
    if (weight != nullptr) all->weights.push_back(weight->numbers[i]);
  }
}

}  // namespace

EvaluatedRows EvaluateRows(const ModelFile& model, const std::string& source, const CommonOptions& options) {
  std::vector<std::string> roles{model.task.target};
  if (!model.task.weight.empty()) roles.push_back(model.task.weight);
  ScoringStream stream(model, source, roles, options);
  for (const std::string& message : stream.warnings()) Warn(options, message);
  EvaluatedRows all;
  while (stream.Next()) AddBatch(stream, model, &all);
  if (all.truth.empty()) throw Error(ErrorKind::kInput, stream.source() + ": no row has a value of '" + model.task.target + "'");
  return all;
}

}  // namespace everlearn
