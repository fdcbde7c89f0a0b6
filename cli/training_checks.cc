#include "cli/training_checks.h"

#include <algorithm>

#include "base/error.h"
#include "data/postgres.h"
#include "data/reader.h"
#include "guard/duplicate_rows.h"
#include "guard/training_check.h"

namespace everlearn {
namespace {

std::vector<GuardColumn> FeatureColumns(const FeatureSpace& space, const double* values) {
  std::vector<GuardColumn> columns;
  for (size_t j = 0; j < space.size(); ++j) {
    const Feature& feature = space.features()[j];
    columns.push_back({.name = feature.column,
                       .values = values + j,
                       .stride = space.size(),
                       .is_category = feature.is_category(),
                       .is_time = feature.part == FeaturePart::kDays,
                       .used = true,
                       .is_part = feature.part == FeaturePart::kText});
  }
  return columns;
}

GuardInput InputOf(const TrainingData& training) {
  const Dataset& data = *training.data;
  GuardInput input;
  input.columns = FeatureColumns(training.space, data.view().values);
  input.rows = data.rows();
  input.target = data.target();
  input.classes = data.classes();
  input.time_ordered = !training.task.time.empty();
  input.grouped = !training.task.group.empty();
  return input;
}

std::vector<SchemaWarning> AsWarnings(std::vector<GuardFinding> findings) {
  std::vector<SchemaWarning> warnings;
  for (GuardFinding& finding : findings) warnings.push_back({finding.code, std::move(finding.message), std::move(finding.column)});
  return warnings;
}

}  // namespace

std::vector<SchemaWarning> CheckTrainingData(const Table& table, const Schema& schema, const TrainingData& training) {
  GuardInput input = InputOf(training);
  for (const Column& column : table.columns) {
    const bool is_id = schema.Find(column.name)->kind == "id" && column.name != training.task.target;
    if (is_id && column.is_numeric()) input.columns.push_back({.name = column.name, .values = column.numbers.data(), .used = false});
  }
  return AsWarnings(CheckTraining(input));
}

std::vector<SchemaWarning> CheckTestRows(const std::string& test_source, const TrainingData& training, const CommonOptions& options) {
  const std::vector<std::string> wanted = training.space.Columns();
  if (wanted.empty()) return {};
  std::vector<std::string> unwanted;
  const Table raw = ReadTable(test_source, {options.threads, options.memory_bytes, options.query}, &unwanted);
  const Table typed = Conform(raw, training.schema, wanted, ShownPlace(test_source));
  const std::vector<double> values = training.space.Encode(typed, options.threads);
  GuardInput input = InputOf(training);
  input.test_columns = FeatureColumns(training.space, values.data());
  input.test_rows = typed.rows;
  return AsWarnings(FindTestRowsInTrain(input));
}

void RefuseLeaks(const std::vector<SchemaWarning>& warnings) {
  const auto leak = std::find_if(warnings.begin(), warnings.end(), [](const SchemaWarning& warning) { return warning.code == "leak"; });
  if (leak != warnings.end()) throw Error(ErrorKind::kInput, leak->message, "without --strict this is a warning");
}

}  // namespace everlearn
