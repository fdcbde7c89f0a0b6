#include "data/writer.h"

#include <duckdb.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "data/duck.h"
#include "data/field.h"

namespace everlearn {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void ThrowSystemError(const std::string& path, int code) {
  const ErrorKind kind = code == ENOENT || code == ENOTDIR                                    ? ErrorKind::kNotFound
                         : code == EACCES || code == EPERM || code == EROFS || code == EISDIR ? ErrorKind::kPermission
                                                                                              : ErrorKind::kResource;
  throw Error(kind, path + " cannot be written: " + std::strerror(code), code == ENOENT ? "its folder does not exist" : "");
}

// A name beside `path` under which the file grows until it is complete; what is no regular file (a pipe, /dev/null) is written directly.
std::string GrowingPath(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) ThrowSystemError(path, EISDIR);
    if (!S_ISREG(status.st_mode)) return path;
  }
  return path + ".part-" + std::to_string(getpid());
}

class CsvWriter : public TableWriter {
 public:
  // An empty path is standard output.
  CsvWriter(std::string path, char separator) : path_(std::move(path)), separator_(separator) {
    if (path_.empty()) {
      file_ = STDOUT_FILENO;
      return;
    }
    growing_ = GrowingPath(path_);
    file_ = open(growing_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0) ThrowSystemError(path_, errno);
  }

  ~CsvWriter() override {
    if (path_.empty() || file_ < 0) return;
    close(file_);
    if (growing_ != path_) unlink(growing_.c_str());
  }

  void Write(const Table& batch) override {
    if (!headed_) {
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        if (i > 0) buffer_.push_back(separator_);
        AppendField(batch.columns[i].name);
      }
      buffer_.push_back('\n');
      headed_ = true;
    }
    for (size_t row = 0; row < batch.rows; ++row) {
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        if (i > 0) buffer_.push_back(separator_);
        AppendValue(batch.columns[i], row);
      }
      // An empty line would be no row.
      if (batch.columns.size() == 1 && batch.columns[0].missing(row)) buffer_.append("\"\"");
      buffer_.push_back('\n');
      constexpr size_t kBuffer = 1 << 18;
      if (buffer_.size() >= kBuffer) Flush();
    }
  }

  void Close() override {
    Flush();
    if (path_.empty()) return;
    const int file = std::exchange(file_, -1);
    const bool regular = growing_ != path_;
    int code = regular && fsync(file) != 0 ? errno : 0;
    if (close(file) != 0 && code == 0) code = errno;
    if (code == 0 && regular && std::rename(growing_.c_str(), path_.c_str()) != 0) code = errno;
    if (code == 0) return;
    if (regular) unlink(growing_.c_str());
    ThrowSystemError(path_, code);
  }

 private:
  void AppendValue(const Column& column, size_t row) {
    if (column.missing(row)) return;
    if (column.type == ColumnType::kText) return AppendField(column.text[row]);
    if (column.type == ColumnType::kCategory) return AppendField(column.dictionary[static_cast<size_t>(column.codes[row])]);
    buffer_.append(column.TextAt(row));
  }

  void AppendField(std::string_view text) {
    const char special[] = {separator_, '"', '\n', '\r', '\0'};
    // An empty text is quoted, though CSV readers, ours among them, take it for a missing value.
    if (!text.empty() && text.find_first_of(special) == std::string_view::npos) {
      buffer_.append(text);
      return;
    }
    buffer_.push_back('"');
    for (const char c : text) {
      if (c == '"') buffer_.push_back('"');
      buffer_.push_back(c);
    }
    buffer_.push_back('"');
  }

  void Flush() {
    for (size_t done = 0; done < buffer_.size();) {
      const ssize_t wrote = write(file_, buffer_.data() + done, buffer_.size() - done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) ThrowSystemError(path_.empty() ? "standard output" : path_, errno);
      done += static_cast<size_t>(wrote);
    }
    buffer_.clear();
  }

  std::string path_, growing_;
  char separator_;
  int file_ = -1;
  bool headed_ = false;
  std::string buffer_;
};

// Collects rows in a DuckDB table, which spills to disk, and copies them out at the end.
class DuckWriter : public TableWriter {
 public:
  // What the file holds: values in their types; JSON's, which has no timestamps; or texts only.
  enum class Values { kTyped, kJson, kText };
  DuckWriter(std::string path, std::string copy_options, Values values)
      : path_(std::move(path)),
        growing_(GrowingPath(path_)),
        spill_(growing_ + ".spill"),
        copy_options_(std::move(copy_options)),
        values_(values),
        database_(0, 0, spill_) {
    const int file = open(growing_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) ThrowSystemError(path_, errno);
    close(file);
  }

  ~DuckWriter() override {
    for (duckdb_logical_type& type : logical_types_) duckdb_destroy_logical_type(&type);
    duckdb_appender_destroy(&appender_);
    std::error_code ignored;
    if (growing_ != path_) fs::remove(growing_, ignored);
    fs::remove_all(spill_, ignored);
  }

  void Write(const Table& batch) override {
    if (appender_ == nullptr) CreateTable(batch);
    assert(batch.columns.size() == types_.size());
    const size_t most = duckdb_vector_size();
    duckdb_data_chunk chunk = duckdb_create_data_chunk(logical_types_.data(), logical_types_.size());
    bool appended = true;
    for (size_t begin = 0; begin < batch.rows && appended; begin += most) {
      duckdb_data_chunk_reset(chunk);
      const size_t rows = std::min(most, batch.rows - begin);
      for (size_t i = 0; i < types_.size(); ++i) Fill(batch.columns[i], begin, rows, types_[i], duckdb_data_chunk_get_vector(chunk, i));
      duckdb_data_chunk_set_size(chunk, rows);
      appended = duckdb_append_data_chunk(appender_, chunk) == DuckDBSuccess;
    }
    duckdb_destroy_data_chunk(&chunk);
    if (!appended) FailAppend();
  }

  void Close() override {
    if (appender_ == nullptr) throw Error(ErrorKind::kInternal, path_ + " cannot be written: no batch told its columns");
    if (duckdb_appender_close(appender_) != DuckDBSuccess) FailAppend();
    // Names come last, as those of a table in SQL ignore case.
    database_.Run(fmt::format("COPY (SELECT {} FROM batches) TO {} ({})", fmt::join(selected_, ", "), SqlText(growing_), copy_options_),
                  path_);
    if (growing_ != path_ && std::rename(growing_.c_str(), path_.c_str()) != 0) ThrowSystemError(path_, errno);
  }

 private:
  duckdb_type TypeOf(const Column& column) const {
    if (values_ == Values::kText) return DUCKDB_TYPE_VARCHAR;
    switch (column.type) {
      case ColumnType::kNumber:
        return DUCKDB_TYPE_DOUBLE;
      case ColumnType::kInteger:
        return DUCKDB_TYPE_BIGINT;
      case ColumnType::kBoolean:
        return DUCKDB_TYPE_BOOLEAN;
      case ColumnType::kTimestamp:
        return values_ == Values::kJson ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_TIMESTAMP;
      default:
        return DUCKDB_TYPE_VARCHAR;
    }
  }

  void CreateTable(const Table& batch) {
    CheckNames(batch);
    std::vector<std::string> columns;
    for (const Column& column : batch.columns) {
      const duckdb_type type = TypeOf(column);
      types_.push_back(type);
      logical_types_.push_back(duckdb_create_logical_type(type));
      const char* const name = type == DUCKDB_TYPE_DOUBLE      ? "DOUBLE"
                               : type == DUCKDB_TYPE_BIGINT    ? "BIGINT"
                               : type == DUCKDB_TYPE_BOOLEAN   ? "BOOLEAN"
                               : type == DUCKDB_TYPE_TIMESTAMP ? "TIMESTAMP"
                                                               : "VARCHAR";
      columns.push_back(fmt::format("c{} {}", columns.size(), name));
      selected_.push_back(fmt::format("c{} AS {}", selected_.size(), SqlName(column.name)));
    }
    database_.Run(fmt::format("CREATE TABLE batches ({})", fmt::join(columns, ", ")), path_);
    if (duckdb_appender_create(database_.connection(), nullptr, "batches", &appender_) != DuckDBSuccess) FailAppend();
    if (values_ == Values::kText) AppendHeader(batch);
  }

  // DuckDB takes names that differ only in case for the same, and would rename a column.
  void CheckNames(const Table& batch) const {
    if (values_ == Values::kText) return;
    std::map<std::string, std::string> seen;
    for (const Column& column : batch.columns) {
      const auto [before, fresh] = seen.emplace(LowerCase(column.name), column.name);
      if (!fresh)
        throw Error(ErrorKind::kInput,
                    path_ + " cannot have both columns '" + before->second + "' and '" + column.name + "', which differ only in case",
                    "write a .csv file");
    }
  }

  // The names are the first row of text: a header by DuckDB would not tell upper from lower case.
  void AppendHeader(const Table& batch) {
    Table header{.rows = 1};
    for (const Column& column : batch.columns) {
      Column& name = header.columns.emplace_back(Column{.name = column.name, .type = ColumnType::kText});
      name.text.Append(column.name);
    }
    Write(header);
  }

  // A number of any batch as the type that the first batch has.
  static double NumberAt(const Column& column, size_t row) {
    if (column.is_numeric()) return column.numbers[row];
    return ParsePlainNumber(column.TextAt(row)).value_or(kMissing);
  }

  void Fill(const Column& column, size_t begin, size_t rows, duckdb_type type, duckdb_vector vector) const {
    // In CSV of one column a missing value is a quoted empty text, as an empty line would be no row.
    const bool keep_missing = values_ != Values::kText || types_.size() > 1;
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t* const validity = duckdb_vector_get_validity(vector);
    void* const data = duckdb_vector_get_data(vector);
    for (size_t i = 0; i < rows; ++i) {
      const size_t row = begin + i;
      if (column.missing(row) && keep_missing) {
        duckdb_validity_set_row_invalid(validity, i);
        continue;
      }
      if (type == DUCKDB_TYPE_VARCHAR) {
        const std::string text = column.TextAt(row);
        duckdb_vector_assign_string_element_len(vector, i, text.data(), text.size());
        continue;
      }
      const double value = NumberAt(column, row);
      if (!std::isfinite(value)) duckdb_validity_set_row_invalid(validity, i);
      else if (type == DUCKDB_TYPE_DOUBLE) static_cast<double*>(data)[i] = value;
      else if (type == DUCKDB_TYPE_BOOLEAN) static_cast<bool*>(data)[i] = value != 0;
      else static_cast<int64_t*>(data)[i] = static_cast<int64_t>(value);
    }
  }

  [[noreturn]] void FailAppend() {
    const char* const message = appender_ == nullptr ? nullptr : duckdb_appender_error(appender_);
    throw Error(ErrorKind::kResource, path_ + " cannot be written: " + (message == nullptr ? "the rows cannot be kept" : message));
  }

  std::string path_, growing_, spill_, copy_options_;
  Values values_;
  DuckDatabase database_;
  std::vector<std::string> selected_;
  std::vector<duckdb_type> types_;
  std::vector<duckdb_logical_type> logical_types_;
  duckdb_appender appender_ = nullptr;
};

}  // namespace

std::unique_ptr<TableWriter> TableWriter::Open(const std::string& path) {
  if (path.empty()) return std::make_unique<CsvWriter>("", ',');
  const std::string lower = LowerCase(path);
  const auto ends = [&](std::string_view ending) { return lower.ends_with(ending); };
  using Values = DuckWriter::Values;
  for (const auto& [ending, codec] : {std::pair{".gz", "gzip"}, std::pair{".zst", "zstd"}}) {
    if (!ends(ending)) continue;
    const std::string compression = fmt::format(", COMPRESSION {}", codec);
    if (ends(std::string(".csv") + ending))
      return std::make_unique<DuckWriter>(path, "FORMAT csv, HEADER false" + compression, Values::kText);
    if (ends(std::string(".tsv") + ending))
      return std::make_unique<DuckWriter>(path, "FORMAT csv, HEADER false, DELIMITER '\t'" + compression, Values::kText);
    if (ends(std::string(".jsonl") + ending)) return std::make_unique<DuckWriter>(path, "FORMAT json" + compression, Values::kJson);
  }
  if (ends(".parquet")) return std::make_unique<DuckWriter>(path, "FORMAT parquet", Values::kTyped);
  if (ends(".json")) return std::make_unique<DuckWriter>(path, "FORMAT json, ARRAY true", Values::kJson);
  if (ends(".jsonl") || ends(".ndjson")) return std::make_unique<DuckWriter>(path, "FORMAT json", Values::kJson);
  if (ends(".tsv")) return std::make_unique<CsvWriter>(path, '\t');
  struct stat status {};
  const bool special = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  if (ends(".csv") || ends(".txt") || special) return std::make_unique<CsvWriter>(path, ',');
  throw Error(ErrorKind::kUsage, path + " has an ending that is not known", "outputs end in .csv, .tsv, .json, .jsonl or .parquet");
}

}  // namespace everlearn
