// everlearn predict: rows in, rows with predictions out.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/resources.h"
#include "cli/command.h"
#include "cli/decision_flags.h"
#include "cli/interrupt.h"
#include "cli/scoring.h"
#include "cli/terminal.h"
#include "data/writer.h"

namespace everlearn {
namespace {

struct PredictFlags {
  std::string model, source, output, prefix;
  double coverage = 0;  // 0: not given
  bool only = false;
};

// Rows as objects of one JSON document, written as they come.
class JsonRows : public TableWriter {
 public:
  void Write(const Table& batch) override {
    std::string text;
    for (size_t i = 0; i < batch.rows; ++i) {
      JsonObject row;
      for (const Column& column : batch.columns) row[column.name] = Value(column, i);
      text += first_ ? "{\"predictions\": [\n" : ",\n";
      text += ToText(row);
      first_ = false;
    }
    PrintText(text);
  }
  void Close() override { PrintText(first_ ? "{\"predictions\": []}\n" : "\n]}\n"); }

 private:
  static Json Value(const Column& column, size_t row) {
    if (column.missing(row)) return nullptr;
    if (column.type == ColumnType::kBoolean) return column.numbers[row] != 0;
    if (column.type == ColumnType::kNumber || column.type == ColumnType::kInteger) return column.numbers[row];
    return boost::json::string(column.TextAt(row));
  }
  bool first_ = true;
};

void CheckNamesAreFree(const Table& header, const std::vector<std::string>& added, const std::string& source) {
  for (const std::string& name : added) {
    if (header.Find(name) >= 0)
      throw Error(ErrorKind::kUsage, source + " already has a column '" + name + "'",
                  "choose other names with --prefix, or leave its columns out with --only");
  }
}

// The output would take the place of what is read.
void CheckOutput(const PredictFlags& flags) {
  for (const std::string& input : {flags.model, flags.source}) {
    std::error_code none;
    if (!flags.output.empty() && std::filesystem::is_regular_file(input, none) && std::filesystem::equivalent(input, flags.output, none))
      throw Error(ErrorKind::kUsage, "--output " + flags.output + " would overwrite " + input, "write to another file");
  }
}

// As asked for, or as the model was fitted for; 0: no intervals.
double Coverage(const PredictFlags& flags, const ModelFile& model) {
  if (flags.coverage == 0) return model.intervals.coverage();
  if (!model.intervals)
    throw Error(ErrorKind::kUsage, "--coverage: " + flags.model + " has no intervals",
                "leave --coverage out, or fit the model again: with enough rows for folds it gets intervals");
  return flags.coverage;
}

int Predict(const PredictFlags& flags, const CommonOptions& options) {
  const Stopwatch watch;
  CheckOutput(flags);
  const ModelFile model = ModelFile::Load(flags.model);
  const double coverage = Coverage(flags, model);
  ScoringStream stream(model, flags.source, {}, options);
  for (const std::string& message : stream.warnings()) Warn(options, message);
  if (!flags.only) CheckNamesAreFree(stream.header(), PredictionColumnNames(model.task, coverage, flags.prefix), stream.source());
  const bool json_rows = options.json && flags.output.empty();
  const std::unique_ptr<TableWriter> writer = json_rows ? std::make_unique<JsonRows>() : TableWriter::Open(flags.output);

  const GracefulInterrupt graceful;
  Progress progress(options, "predicted rows:");
  size_t rows = 0;
  const auto write = [&](const Table& input, const std::vector<double>& predictions) {
    Table output{input.rows, {}};
    if (!flags.only) output.columns = input.columns;
    for (Column& column : PredictionColumns(model, predictions, coverage, flags.prefix)) output.columns.push_back(std::move(column));
    writer->Write(output);
    rows += output.rows;
  };
  while (stream.Next()) {
    write(stream.raw(), stream.predictions());
    if (!flags.output.empty()) progress.Show(rows, 0);
  }
  if (rows == 0) write(stream.header(), {});  // no rows are no error: the columns alone
  writer->Close();
  if (options.json && !json_rows) PrintDocument(JsonObject{{"rows", rows}, {"output", flags.output}, {"seconds", watch.Seconds()}});
  else if (!flags.output.empty()) Say(options, Grouped(rows) + " rows are in " + flags.output);
  return 0;
}

[[maybe_unused]] const bool registered = Commands().Add(
    "predict",
    {.order = 20,
     .summary = "predict the rows of a table with a model",
     .example = "everlearn predict loans.safetensors new_loans.parquet --output scored.csv",
     .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
       auto flags = std::make_shared<PredictFlags>();
       app.add_option("MODEL", flags->model, "model file")->required()->type_name("");
       app.add_option("SOURCE", flags->source, "file, pattern, SQL, postgresql://… with --query, or - for CSV on standard input")
           ->required()
           ->type_name("");
       app.add_option("--output", flags->output, ".csv .tsv .json .jsonl .parquet (default: CSV on standard output)")->type_name("FILE");
       AddCoverageFlag(app, &flags->coverage, "add lower and upper (values) or labels (classes) that hold the truth with this chance");
       app.add_option("--prefix", flags->prefix, "put before the names of the added columns")->type_name("TEXT");
       app.add_flag("--only", flags->only, "write the added columns alone");
       return [flags, &options] { return Predict(*flags, options); };
     }});

}  // namespace
}  // namespace everlearn
