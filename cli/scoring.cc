#include "cli/scoring.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "base/suggest.h"
#include "cli/interrupt.h"
#include "data/postgres.h"
#include "evaluation/metric.h"

namespace everlearn {
namespace {

constexpr size_t kBatchRows = 50'000;        // at most,
constexpr size_t kBatchValues = 16'000'000;  // and fewer where features are so many
constexpr size_t kRowsAtOnce = 1'000;        // of one thread

void CheckColumns(const Table& header, const std::vector<std::string>& wanted, const std::string& source) {
  std::string missing, first;
  for (const std::string& name : wanted) {
    if (header.Find(name) >= 0) continue;
    if (first.empty()) first = name;
    missing += (missing.empty() ? "'" : ", '") + name + "'";
  }
  if (first.empty()) return;
  throw Error(ErrorKind::kInput, source + " has no column " + missing + ", which the model needs", SuggestionHint(first, header.Names()));
}

}  // namespace

ScoringStream::ScoringStream(const ModelFile& model, const std::string& source, const std::vector<std::string>& columns,
                             const CommonOptions& options)
    : model_(model),
      source_(ShownPlace(source)),
      threads_(options.threads),
      wanted_(model.space.Columns()),
      reader_(TableReader::Open(source, {options.threads, options.memory_bytes, options.query})) {
  for (const std::string& name : columns) {
    if (std::find(wanted_.begin(), wanted_.end(), name) == wanted_.end()) wanted_.push_back(name);
  }
  CheckColumns(header(), wanted_, source_);
}

bool ScoringStream::Next() {
  ThrowIfInterrupted();
  rows_before_ += raw_.rows;
  const size_t rows = std::clamp(kBatchValues / std::max<size_t>(1, model_.space.size()), kRowsAtOnce, kBatchRows);
  if (!reader_->Next(rows, &raw_)) return false;
  // A model without features needs no column; Conform would read "none" as "all".
  if (wanted_.empty()) typed_ = {raw_.rows, {}};
  else typed_ = Conform(raw_, model_.schema, wanted_, source_, rows_before_);
  const std::vector<double> values = model_.space.Encode(typed_, threads_);
  const size_t features = model_.space.size(), outputs = model_.model->outputs();
  predictions_.resize(raw_.rows * outputs);
  ParallelFor((raw_.rows + kRowsAtOnce - 1) / kRowsAtOnce, threads_, [&](size_t piece) {
    const size_t first = piece * kRowsAtOnce, count = std::min(kRowsAtOnce, raw_.rows - first);
    model_.model->Predict({values.data() + first * features, count, features}, predictions_.data() + first * outputs);
  });
  return true;
}

std::vector<std::string> PredictionColumnNames(const Task& task, const std::string& prefix) {
  std::vector<std::string> names{prefix + "prediction"};
  for (const std::string& label : task.labels) names.push_back(prefix + "probability_" + label);
  return names;
}

std::vector<Column> PredictionColumns(const Task& task, const std::vector<double>& predictions, const std::string& prefix) {
  const std::vector<std::string> names = PredictionColumnNames(task, prefix);
  std::vector<Column> columns(names.size());
  for (size_t c = 0; c < names.size(); ++c) columns[c].name = names[c];
  if (!task.is_classification()) {
    columns[0].numbers = predictions;
    return columns;
  }
  const size_t classes = task.labels.size(), rows = predictions.size() / classes;
  columns[0].type = ColumnType::kText;
  columns[0].text.Reserve(rows);
  for (size_t i = 0; i < rows; ++i) {
    const double* row = &predictions[i * classes];
    columns[0].text.Append(task.labels[PredictedClass(row, classes)]);
    for (size_t c = 0; c < classes; ++c) columns[c + 1].numbers.push_back(row[c]);
  }
  return columns;
}

}  // namespace everlearn
