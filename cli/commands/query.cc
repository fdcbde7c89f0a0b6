// everlearn query: writes a source (SQL, files) as one table; to prepare data for the other commands.
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/resources.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "data/reader.h"
#include "data/writer.h"

namespace everlearn {
namespace {

constexpr size_t kBatchRows = 50'000;

struct QueryFlags {
  std::string source, output;
};

int Query(const QueryFlags& flags, const CommonOptions& options) {
  if (options.json && flags.output.empty())
    throw Error(ErrorKind::kUsage, "query --json needs --output: standard output cannot hold both the rows and the document");
  const Stopwatch watch;
  const auto reader = TableReader::Open(flags.source, {options.threads, options.memory_bytes, options.query});
  for (const std::string& message : reader->warnings()) Warn(options, message);
  const auto writer = TableWriter::Open(flags.output);
  const GracefulInterrupt graceful;
  Progress progress(options, "rows:");
  size_t rows = 0;
  Table batch;
  while (reader->Next(kBatchRows, &batch)) {
    ThrowIfInterrupted();
    writer->Write(batch);
    rows += batch.rows;
    if (!flags.output.empty()) progress.Show(rows, 0);
  }
  if (rows == 0) writer->Write(reader->header());
  writer->Close();
  if (options.json) PrintDocument(JsonObject{{"rows", rows}, {"output", flags.output}, {"seconds", watch.Seconds()}});
  else if (!flags.output.empty()) Say(options, Grouped(rows) + " rows are in " + flags.output);
  return 0;
}

[[maybe_unused]] const bool registered = Commands().Add(
    "query", {.order = 90,
              .summary = "write a query's or a file's rows as CSV, JSON or Parquet",
              .example = "everlearn query \"SELECT * FROM 'sales/*.csv' WHERE year > 2020\" --output sales.parquet",
              .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                auto flags = std::make_shared<QueryFlags>();
                app.add_option("SOURCE", flags->source, "SQL, file, pattern, postgresql://… with --query, or - for CSV on standard input")
                    ->required()
                    ->type_name("");
                CLI::Option* output =
                    app.add_option("--output", flags->output, ".csv .tsv .json .jsonl .parquet (default: CSV on standard output)");
                output->type_name("FILE");
                return [flags, &options] { return Query(*flags, options); };
              }});

}  // namespace
}  // namespace everlearn
