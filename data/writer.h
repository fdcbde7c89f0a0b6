// Writes tables in batches: CSV (RFC 4180) to a file or standard output, Parquet and JSON through DuckDB; by the file's ending.
//
// One thread. The file appears under its name only when Close() succeeded (written beside it, then renamed).
#pragma once

#include <memory>
#include <string>

#include "data/table.h"

namespace everlearn {

class TableWriter {
 public:
  // `path`: .csv .tsv .json .jsonl .parquet, also .csv.gz; empty: CSV on standard output. Throws kNotFound or kPermission when it cannot be
  // written, before any row.
  static std::unique_ptr<TableWriter> Open(const std::string& path);
  virtual ~TableWriter() = default;

  // All batches have the columns of the first. Throws kResource when the disk is full.
  virtual void Write(const Table& batch) = 0;
  virtual void Close() = 0;
};

}  // namespace everlearn
