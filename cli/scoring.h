// Applies a model to a source, batch after batch, so that a source may be larger than memory.
//
// One thread; the rows of a batch are spread over threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "data/reader.h"
#include "model/model_file.h"

namespace everlearn {

class ScoringStream {
 public:
  // `columns`: what is needed besides the model's features. Throws as TableReader::Open does, and kInput naming all columns that are
  // missing. `model` must outlive the stream.
  ScoringStream(const ModelFile& model, const std::string& source, const std::vector<std::string>& columns, const CommonOptions& options);

  const Table& header() const { return reader_->header(); }
  const std::vector<std::string>& warnings() const { return reader_->warnings(); }

  const std::string& source() const { return source_; }  // as messages show it

  // False at the end. Throws kInput naming file, row and column of a value that cannot be used; kInterrupted.
  bool Next();
  const Table& raw() const { return raw_; }                                // as it came
  const Table& typed() const { return typed_; }                            // the needed columns, by the model's schema
  const std::vector<double>& predictions() const { return predictions_; }  // rows × outputs
  size_t rows_before() const { return rows_before_; }                      // rows of the earlier batches

 private:
  const ModelFile& model_;
  std::string source_;
  int threads_;
  std::vector<std::string> wanted_;
  std::unique_ptr<TableReader> reader_;
  Table raw_, typed_;
  std::vector<double> predictions_;
  size_t rows_before_ = 0;
};

// One batch as columns: `prediction` (label or number) and `probability_<label>` for each class, in order of the labels; with a coverage
// above 0 (which the model's intervals must be able to give) `lower` and `upper`, or `labels` with "|" between them.
std::vector<Column> PredictionColumns(const ModelFile& model, const std::vector<double>& predictions, double coverage,
                                      const std::string& prefix);
std::vector<std::string> PredictionColumnNames(const Task& task, double coverage, const std::string& prefix);

}  // namespace everlearn
