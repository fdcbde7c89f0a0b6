// Reads tables from files, patterns, SQL and standard input through DuckDB, and from PostgreSQL.
//
// CSV and TSV are read as text, so that every value stays as it stood; Parquet, JSON and SQL keep the types they have.
// Typing of text happens in data/schema.h. A reader belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/table.h"

namespace everlearn {

struct ReadOptions {
  int threads = 0;                    // 0: all cores
  uint64_t memory_bytes = 0;          // DuckDB's limit; 0: its own default
  std::string query = {};             // SQL for a PostgreSQL source
  std::function<bool()> enough = {};  // of ReadTable: the first rows are enough once it is true
};

class TableReader {
 public:
  // `source`: a file or pattern (.csv .tsv .json .jsonl .parquet, also .gz .zst), SQL beginning with SELECT, WITH or FROM, "-" (CSV on
  // standard input), or postgresql:// with options.query. Throws kUsage (a query where none belongs, or none), kNotFound, kPermission,
  // kInput (empty, not a table, duplicate column names are made unique with a suffix and reported in warnings()).
  static std::unique_ptr<TableReader> Open(const std::string& source, const ReadOptions& options);
  virtual ~TableReader() = default;

  // The column names and types without rows; text columns of CSV are kText.
  virtual const Table& header() const = 0;
  virtual const std::vector<std::string>& warnings() const = 0;
  virtual const std::string& name() const = 0;  // of the source, for messages

  // Next gives what it has once `enough`, asked every few rows, is true. Rows may then be left.
  void EndWhen(std::function<bool()> enough) { enough_ = std::move(enough); }

  // Fills `batch` with at most `rows` further rows; false when there are none left. Throws kInput naming file and row of damage.
  virtual bool Next(size_t rows, Table* batch) = 0;

 protected:
  bool Enough() const { return enough_ && enough_(); }

 private:
  std::function<bool()> enough_;
};

// All rows of a source, or those that were read until `options.enough`, with a warning that says so. Throws kInput where there is no row.
Table ReadTable(const std::string& source, const ReadOptions& options, std::vector<std::string>* warnings = nullptr);

}  // namespace everlearn
