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

void AddValues(const ModelFile& model, const std::vector<double>& predictions, double coverage, std::vector<Column>* columns) {
  (*columns)[0].numbers = predictions;
  if (coverage == 0) return;
  for (const double prediction : predictions) {
    const auto [lower, upper] = model.intervals.Around(prediction, coverage);
    (*columns)[1].numbers.push_back(lower);
    (*columns)[2].numbers.push_back(upper);
  }
}

void AddClasses(const ModelFile& model, const std::vector<double>& predictions, double coverage, std::vector<Column>* columns) {
  const std::vector<std::string>& labels = model.task.labels;
  const size_t classes = labels.size(), rows = predictions.size() / classes;
  Column& prediction = columns->front();
  prediction.type = ColumnType::kText;
  prediction.text.Reserve(rows);
  Column* sets = coverage > 0 ? &columns->back() : nullptr;
  if (sets != nullptr) sets->type = ColumnType::kText;
  const double least = sets != nullptr ? model.intervals.LeastProbability(coverage) : 0;
  for (size_t i = 0; i < rows; ++i) {
    const double* row = &predictions[i * classes];
    prediction.text.Append(labels[PredictedClass(row, classes, model.task.decision)]);
    std::string set;
    for (size_t c = 0; c < classes; ++c) {
      (*columns)[c + 1].numbers.push_back(row[c]);
      if (sets != nullptr && row[c] >= least) set += (set.empty() ? "" : "|") + labels[c];
    }
    if (sets != nullptr) sets->text.Append(set);
  }
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

std::vector<std::string> PredictionColumnNames(const Task& task, double coverage, const std::string& prefix) {
  std::vector<std::string> names{prefix + "prediction"};
  for (const std::string& label : task.labels) names.push_back(prefix + "probability_" + label);
  if (coverage > 0) {
    if (task.is_classification()) names.push_back(prefix + "labels");
    else names.insert(names.end(), {prefix + "lower", prefix + "upper"});
  }
  return names;
}

std::vector<Column> PredictionColumns(const ModelFile& model, const std::vector<double>& predictions, double coverage,
                                      const std::string& prefix) {
  const std::vector<std::string> names = PredictionColumnNames(model.task, coverage, prefix);
  std::vector<Column> columns(names.size());
  for (size_t c = 0; c < names.size(); ++c) columns[c].name = names[c];
  if (model.task.is_classification()) AddClasses(model, predictions, coverage, &columns);
  else AddValues(model, predictions, coverage, &columns);
  return columns;
}

}  // namespace everlearn
