// A private DuckDB database through its C interface: statements, streamed results, errors as ours.
//
// In memory, without network and extensions to load. One thread at a time.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace everlearn {

// A text as an SQL literal, and a name as an SQL identifier.
std::string SqlText(std::string_view text);
std::string SqlName(std::string_view name);

// Throws DuckDB's message as an Error of the kind that fits, naming `source` and the line where it is known.
[[noreturn]] void ThrowDuckError(std::string_view message, const std::string& source);

class DuckStream;

class DuckDatabase {
 public:
  // 0 stands for DuckDB's own default. Large tables and sorts go to `spill_folder` when memory is short.
  explicit DuckDatabase(int threads = 0, uint64_t memory_bytes = 0, const std::string& spill_folder = "");
  ~DuckDatabase();
  DuckDatabase(const DuckDatabase&) = delete;
  DuckDatabase& operator=(const DuckDatabase&) = delete;

  void Run(const std::string& sql, const std::string& source);
  // The first column of a small result.
  std::vector<std::string> Texts(const std::string& sql, const std::string& source);
  duckdb_connection connection() const { return connection_; }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

// A prepared query whose result comes in chunks; rows wait in DuckDB until they are fetched.
class DuckStream {
 public:
  DuckStream(const DuckDatabase& database, const std::string& sql, std::string source);
  ~DuckStream();
  DuckStream(const DuckStream&) = delete;
  DuckStream& operator=(const DuckStream&) = delete;

  size_t columns() const { return types_.size(); }
  const std::string& name(size_t column) const { return names_[column]; }
  duckdb_type type(size_t column) const { return types_[column]; }

  // The next chunk, at the first call starting the query; null at the end. It lives until the next call.
  duckdb_data_chunk Next();

 private:
  void Start();
  std::string source_;
  std::vector<std::string> names_;
  std::vector<duckdb_type> types_;
  duckdb_prepared_statement statement_ = nullptr;
  duckdb_result result_{};
  bool started_ = false;
  duckdb_data_chunk chunk_ = nullptr;
};

}  // namespace everlearn
