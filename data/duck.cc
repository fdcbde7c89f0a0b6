#include "data/duck.h"

#include <algorithm>

#include "base/error.h"
#include "data/field.h"

namespace everlearn {
namespace {

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted.push_back(quote);
    quoted.push_back(c);
  }
  quoted.push_back(quote);
  return quoted;
}

// The rest of the line that begins with `label`, or nothing.
std::string_view After(std::string_view message, std::string_view label) {
  const size_t at = message.find(label);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = message.substr(at + label.size());
  return Trim(rest.substr(0, rest.find('\n')));
}

// DuckDB's message for people: without its advice about options, the query and the name of its error class.
std::string_view Essence(std::string_view message) {
  for (const std::string_view end : {"\nPossible", "\n  file = ", "\nLINE ", "\n\n"})
    message = message.substr(0, message.find(end) == std::string_view::npos ? message.size() : message.find(end));
  const size_t label = message.find("Error: ");
  if (label != std::string_view::npos && label < 40) message.remove_prefix(label + 7);
  return Trim(message);
}

ErrorKind KindOf(std::string_view message) {
  if (message.find("No files found") != std::string_view::npos || message.find("No such file") != std::string_view::npos)
    return ErrorKind::kNotFound;
  if (message.find("Permission denied") != std::string_view::npos) return ErrorKind::kPermission;
  if (message.starts_with("Out of Memory") || message.find("No space left") != std::string_view::npos) return ErrorKind::kResource;
  return ErrorKind::kInput;
}

}  // namespace

std::string SqlText(std::string_view text) { return Quoted(text, '\''); }
std::string SqlName(std::string_view name) { return Quoted(name, '"'); }

void ThrowDuckError(std::string_view message, const std::string& source) {
  const std::string_view line = After(message, "CSV Error on Line: ");
  if (line.empty()) throw Error(KindOf(message), source + ": " + std::string(Essence(message)));
  // The last line before the advice says what is wrong; those before it repeat the row.
  std::string_view what = message.substr(0, std::min(message.find("\nPossible"), message.find("\n  file = ")));
  what = Trim(what);
  what = what.substr(what.rfind('\n') == std::string_view::npos ? 0 : what.rfind('\n') + 1);
  const bool encoding = what.find("unicode") != std::string_view::npos;
  const bool columns = what.find("Number of Columns") != std::string_view::npos;
  throw Error(KindOf(message), source + ", line " + std::string(line) + ": " + std::string(what),
              encoding  ? "save the file as UTF-8"
              : columns ? "every line needs as many values as the header has names; values with a separator inside need quotes"
                        : "");
}

DuckDatabase::DuckDatabase(int threads, uint64_t memory_bytes, const std::string& spill_folder) {
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  duckdb_set_config(config, "autoload_known_extensions", "false");
  if (threads > 0) duckdb_set_config(config, "threads", std::to_string(threads).c_str());
  if (memory_bytes > 0) duckdb_set_config(config, "memory_limit", (std::to_string(memory_bytes) + "B").c_str());
  if (!spill_folder.empty()) duckdb_set_config(config, "temp_directory", spill_folder.c_str());
  char* message = nullptr;
  const bool opened = duckdb_open_ext(nullptr, &database_, config, &message) == DuckDBSuccess;
  duckdb_destroy_config(&config);
  const std::string reason = message == nullptr ? "" : message;
  duckdb_free(message);
  if (!opened || duckdb_connect(database_, &connection_) != DuckDBSuccess) {
    duckdb_close(&database_);
    throw Error(ErrorKind::kResource, "the database engine does not start: " + reason);
  }
  Run("SET TimeZone = 'UTC'", "the database engine");
}

DuckDatabase::~DuckDatabase() {
  duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void DuckDatabase::Run(const std::string& sql, const std::string& source) {
  duckdb_result result;
  const bool done = duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
  const std::string message = done ? "" : duckdb_result_error(&result);
  duckdb_destroy_result(&result);
  if (!done) ThrowDuckError(message, source);
}

std::vector<std::string> DuckDatabase::Texts(const std::string& sql, const std::string& source) {
  DuckStream stream(*this, sql, source);
  std::vector<std::string> texts;
  while (const duckdb_data_chunk chunk = stream.Next()) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
    auto* const values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    uint64_t* const validity = duckdb_vector_get_validity(vector);
    for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk); ++i) {
      const bool valid = validity == nullptr || duckdb_validity_row_is_valid(validity, i);
      texts.push_back(valid ? std::string(duckdb_string_t_data(&values[i]), duckdb_string_t_length(values[i])) : "");
    }
  }
  return texts;
}

DuckStream::DuckStream(const DuckDatabase& database, const std::string& sql, std::string source) : source_(std::move(source)) {
  if (duckdb_prepare(database.connection(), sql.c_str(), &statement_) != DuckDBSuccess) {
    const std::string message = duckdb_prepare_error(statement_);
    duckdb_destroy_prepare(&statement_);
    ThrowDuckError(message, source_);
  }
  const idx_t count = duckdb_prepared_statement_column_count(statement_);
  for (idx_t i = 0; i < count; ++i) {
    const char* const name = duckdb_prepared_statement_column_name(statement_, i);
    names_.emplace_back(name == nullptr ? "" : name);
    duckdb_free(const_cast<char*>(name));
    types_.push_back(duckdb_prepared_statement_column_type(statement_, i));
  }
}

DuckStream::~DuckStream() {
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  if (started_) duckdb_destroy_result(&result_);
  duckdb_destroy_prepare(&statement_);
}

void DuckStream::Start() {
  duckdb_pending_result pending = nullptr;
  const bool ready = duckdb_pending_prepared_streaming(statement_, &pending) == DuckDBSuccess;
  const std::string pending_message = ready ? "" : duckdb_pending_error(pending);
  const bool running = ready && duckdb_execute_pending(pending, &result_) == DuckDBSuccess;
  started_ = ready;
  duckdb_destroy_pending(&pending);
  if (!ready) ThrowDuckError(pending_message, source_);
  if (!running) ThrowDuckError(duckdb_result_error(&result_), source_);
}

duckdb_data_chunk DuckStream::Next() {
  if (!started_) Start();
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  chunk_ = duckdb_fetch_chunk(result_);
  if (chunk_ == nullptr) {
    const char* const message = duckdb_result_error(&result_);
    if (message != nullptr && *message != '\0') ThrowDuckError(message, source_);
  }
  return chunk_;
}

}  // namespace everlearn
