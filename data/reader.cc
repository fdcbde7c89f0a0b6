#include "data/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "data/csv_header.h"
#include "data/duck.h"
#include "data/postgres.h"
#include "data/postgres_reader.h"
#include "data/source.h"

namespace everlearn {
namespace {

using Int128 = __int128;

constexpr Int128 kExactIntegers = Int128{1} << 53;  // beyond, doubles leave integers out

std::string IntegerText(Int128 value) {
  std::string digits;
  const bool negative = value < 0;
  do {
    const int digit = static_cast<int>(value % 10);
    digits.push_back(static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    value /= 10;
  } while (value != 0);
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Int128 ToInt128(duckdb_hugeint value) { return (static_cast<Int128>(value.upper) << 64) | static_cast<Int128>(value.lower); }
template <typename T>
Int128 ToInt128(T value) {
  return value;
}

// How a column of a result is read: what it becomes, and the cast that SQL does first.
struct ColumnPlan {
  ColumnType type = ColumnType::kText;
  duckdb_type read = DUCKDB_TYPE_VARCHAR;  // type of the vectors that are read
  const char* cast = nullptr;              // none where the type stays
};

ColumnPlan PlanFor(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return {ColumnType::kBoolean, type, nullptr};
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
      return {ColumnType::kInteger, type, nullptr};
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return {ColumnType::kNumber, type, nullptr};
    case DUCKDB_TYPE_DECIMAL:
      return {ColumnType::kNumber, DUCKDB_TYPE_DOUBLE, "DOUBLE"};
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {ColumnType::kTimestamp, type, nullptr};
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return {ColumnType::kTimestamp, DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP"};
    case DUCKDB_TYPE_ENUM:
      return {ColumnType::kCategory, DUCKDB_TYPE_VARCHAR, "VARCHAR"};
    case DUCKDB_TYPE_VARCHAR:
      return {ColumnType::kText, type, nullptr};
    default:
      return {ColumnType::kText, DUCKDB_TYPE_VARCHAR, "VARCHAR"};
  }
}

// Rows [begin, end) of one vector of a chunk.
class VectorSlice {
 public:
  VectorSlice(duckdb_vector vector, idx_t begin, idx_t end)
      : data_(duckdb_vector_get_data(vector)), validity_(duckdb_vector_get_validity(vector)), begin_(begin), end_(end) {}

  template <typename T, typename Present, typename Absent>
  void ForEach(const Present& present, const Absent& absent) const {
    T* const values = static_cast<T*>(data_);
    for (idx_t i = begin_; i < end_; ++i) {
      if (validity_ != nullptr && (validity_[i / 64] >> (i % 64) & 1) == 0) absent();
      else present(values[i]);
    }
  }
  size_t size() const { return end_ - begin_; }

 private:
  void* data_;
  uint64_t* validity_;
  idx_t begin_, end_;
};

std::string_view View(const duckdb_string_t& text) {
  constexpr uint32_t kInlined = sizeof text.value.inlined.inlined;
  const uint32_t length = text.value.inlined.length;
  return {length <= kInlined ? text.value.inlined.inlined : text.value.pointer.ptr, length};
}

template <typename T>
void AppendIntegers(const VectorSlice& slice, Column* column) {
  if constexpr (sizeof(T) >= sizeof(int64_t)) {
    bool exact = true;
    const auto check = [&](T value) { exact = exact && ToInt128(value) <= kExactIntegers && ToInt128(value) >= -kExactIntegers; };
    slice.ForEach<T>(check, [] {});
    if (!exact) column->BecomeText();
    if (column->type == ColumnType::kText) {
      slice.ForEach<T>([&](T value) { column->text.Append(IntegerText(ToInt128(value))); }, [&] { column->text.AppendMissing(); });
      return;
    }
  }
  slice.ForEach<T>([&](T value) { column->numbers.push_back(static_cast<double>(ToInt128(value))); },
                   [&] { column->numbers.push_back(kMissing); });
}

// Returns how many values were infinite, which count as missing.
template <typename T>
size_t AppendNumbers(const VectorSlice& slice, Column* column) {
  size_t infinite = 0;
  const auto append = [&](T value) {
    infinite += std::isinf(value) ? 1 : 0;
    column->numbers.push_back(std::isfinite(value) ? static_cast<double>(value) : kMissing);
  };
  slice.ForEach<T>(append, [&] { column->numbers.push_back(kMissing); });
  return infinite;
}

void AppendTimes(const VectorSlice& slice, duckdb_type type, Column* column) {
  constexpr double kDay = 86'400e6;
  const auto absent = [&] { column->numbers.push_back(kMissing); };
  if (type == DUCKDB_TYPE_DATE)
    slice.ForEach<duckdb_date>(
        [&](duckdb_date value) { column->numbers.push_back(duckdb_is_finite_date(value) ? value.days * kDay : kMissing); }, absent);
  else
    slice.ForEach<duckdb_timestamp>(
        [&](duckdb_timestamp value) {
          column->numbers.push_back(duckdb_is_finite_timestamp(value) ? static_cast<double>(value.micros) : kMissing);
        },
        absent);
}

void AppendTexts(const VectorSlice& slice, Column* column) {
  slice.ForEach<duckdb_string_t>([&](const duckdb_string_t& value) { column->text.Append(View(value)); },
                                 [&] { column->text.AppendMissing(); });
}

void AppendCategories(const VectorSlice& slice, Dictionary* dictionary, Column* column) {
  slice.ForEach<duckdb_string_t>([&](const duckdb_string_t& value) { column->codes.push_back(dictionary->Code(View(value))); },
                                 [&] { column->codes.push_back(kMissingCode); });
}

// Columns that some files of a pattern lack are missing values there: said once, of the first such file.
void WarnOfLackingColumns(const std::vector<std::string>& files, const std::vector<CsvHeader>& headers,
                          const std::vector<std::string>& names, std::vector<std::string>* warnings) {
  for (size_t i = 0; i < files.size(); ++i) {
    std::vector<std::string> lacking;
    for (const std::string& name : names) {
      if (std::find(headers[i].names.begin(), headers[i].names.end(), name) == headers[i].names.end()) lacking.push_back(name);
    }
    if (lacking.empty()) continue;
    warnings->push_back(
        fmt::format("{} lacks the columns '{}' of other files; they are missing values in its rows", files[i], fmt::join(lacking, "', '")));
    return;
  }
}

std::string CsvQuery(const Source& source, DuckDatabase* database, std::vector<std::string>* names, std::vector<std::string>* warnings) {
  std::string query;
  std::vector<CsvHeader> headers;
  for (const std::string& file : source.files) {
    const std::string& name = source.files.size() > 1 ? file : source.name;
    // One column that no separator splits: the header as it stands. The small buffer keeps this cheap for large files.
    const auto first =
        database->Texts("SELECT line FROM read_csv(" + SqlText(file) +
                            ", header=false, auto_detect=false, delim=chr(1), quote='', escape='', columns={'line': 'VARCHAR'}, "
                            "max_line_size=1000000, buffer_size=2000000) LIMIT 1",
                        name);
    if (first.empty() || first.front().empty()) throw Error(ErrorKind::kInput, name + " is empty, or begins with an empty line");
    CsvHeader header = ParseCsvHeader(first.front(), source.format == SourceFormat::kTsv ? '\t' : '\0', name);
    std::vector<std::string> file_warnings;
    MakeNamesUnique(&header.names, name, &file_warnings);
    if (query.empty()) *warnings = file_warnings;

    // Columns have names of ours in SQL, as DuckDB's ignore case. Later files add theirs behind those of the first.
    std::vector<std::string> declared, selected;
    std::vector<size_t> place(names->size() + header.names.size(), SIZE_MAX);
    for (size_t i = 0; i < header.names.size(); ++i) {
      declared.push_back(fmt::format("'f{}': 'VARCHAR'", i));
      const auto known = std::find(names->begin(), names->end(), header.names[i]);
      place[static_cast<size_t>(known - names->begin())] = i;
      if (known == names->end()) names->push_back(header.names[i]);
    }
    for (size_t c = 0; c < names->size(); ++c)
      selected.push_back(place[c] == SIZE_MAX ? fmt::format("NULL::VARCHAR AS c{}", c) : fmt::format("f{} AS c{}", place[c], c));
    query += fmt::format("{}SELECT {} FROM read_csv({}, header=true, auto_detect=false, quote='\"', escape='\"', delim={}, columns={{{}}})",
                         query.empty() ? "" : " UNION ALL BY NAME ", fmt::join(selected, ", "), SqlText(file),
                         SqlText(std::string_view(&header.separator, 1)), fmt::join(declared, ", "));
    headers.push_back(std::move(header));
  }
  WarnOfLackingColumns(source.files, headers, *names, warnings);
  return query;
}

std::string FileList(const std::vector<std::string>& files) {
  std::vector<std::string> texts;
  for (const std::string& file : files) texts.push_back(SqlText(file));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

class DuckReader : public TableReader {
 public:
  DuckReader(const std::string& text, const ReadOptions& options) : database_(options.threads, options.memory_bytes) {
    if (text == "-") {
      input_.emplace();
      source_ = {.format = SourceFormat::kCsv, .name = "standard input", .sql = "", .files = {input_->path()}};
    } else {
      source_ = ResolveSource(text, &database_);
    }
    std::vector<std::string> names;
    if (source_.format == SourceFormat::kCsv || source_.format == SourceFormat::kTsv) {
      OpenQuery(CsvQuery(source_, &database_, &names, &warnings_));
    } else {
      if (source_.format == SourceFormat::kJson)
        OpenQuery("SELECT * FROM read_json_auto(" + FileList(source_.files) + ", union_by_name=true, sample_size=-1)");
      else if (source_.format == SourceFormat::kParquet)
        OpenQuery("SELECT * FROM read_parquet(" + FileList(source_.files) + ", union_by_name=true)");
      else OpenQuery(source_.sql);
      for (size_t i = 0; i < stream_->columns(); ++i) names.push_back(stream_->name(i));
      MakeNamesUnique(&names, source_.name, &warnings_);
    }
    for (size_t i = 0; i < names.size(); ++i) header_.columns.push_back(Column{.name = names[i], .type = plans_[i].type});
    infinite_.resize(names.size());
    chunk_ = stream_->Next();
  }

  const Table& header() const override { return header_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  const std::string& name() const override { return source_.name; }

  bool Next(size_t rows, Table* batch) override {
    *batch = header_;
    std::vector<Dictionary> dictionaries(header_.columns.size());
    while (batch->rows < rows && chunk_ != nullptr && !(batch->rows > 0 && Enough())) {
      const idx_t size = duckdb_data_chunk_get_size(chunk_);
      const idx_t end = std::min<idx_t>(size, used_ + (rows - batch->rows));
      for (size_t i = 0; i < plans_.size(); ++i) {
        const VectorSlice slice(duckdb_data_chunk_get_vector(chunk_, i), used_, end);
        Append(slice, i, &dictionaries[i], &batch->columns[i]);
      }
      batch->rows += end - used_;
      used_ = end;
      if (used_ == size) {
        chunk_ = stream_->Next();
        used_ = 0;
      }
    }
    for (size_t i = 0; i < plans_.size(); ++i)
      if (plans_[i].type == ColumnType::kCategory) batch->columns[i].dictionary = dictionaries[i].Take();
    return batch->rows > 0;
  }

 private:
  void OpenQuery(const std::string& query) {
    stream_ = std::make_unique<DuckStream>(database_, query, source_.name);
    std::vector<std::string> selected, names;
    bool casts = false;
    for (size_t i = 0; i < stream_->columns(); ++i) {
      const ColumnPlan plan = plans_.emplace_back(PlanFor(stream_->type(i)));
      casts = casts || plan.cast != nullptr;
      names.push_back(fmt::format("c{}", i));
      selected.push_back((plan.cast == nullptr ? names.back() : fmt::format("CAST(c{} AS {})", i, plan.cast)) + " AS " +
                         SqlName(stream_->name(i)));
    }
    if (plans_.empty()) throw Error(ErrorKind::kInput, source_.name + " has no columns");
    if (!casts) return;
    // The line break ends a comment at the query's end.
    stream_ = std::make_unique<DuckStream>(
        database_, fmt::format("SELECT {} FROM ({}\n) AS source({})", fmt::join(selected, ", "), query, fmt::join(names, ", ")),
        source_.name);
  }

  void Append(const VectorSlice& slice, size_t index, Dictionary* dictionary, Column* column) {
    switch (plans_[index].read) {
      case DUCKDB_TYPE_BOOLEAN:
      case DUCKDB_TYPE_UTINYINT:
        return AppendIntegers<uint8_t>(slice, column);
      case DUCKDB_TYPE_TINYINT:
        return AppendIntegers<int8_t>(slice, column);
      case DUCKDB_TYPE_SMALLINT:
        return AppendIntegers<int16_t>(slice, column);
      case DUCKDB_TYPE_USMALLINT:
        return AppendIntegers<uint16_t>(slice, column);
      case DUCKDB_TYPE_INTEGER:
        return AppendIntegers<int32_t>(slice, column);
      case DUCKDB_TYPE_UINTEGER:
        return AppendIntegers<uint32_t>(slice, column);
      case DUCKDB_TYPE_BIGINT:
        return AppendIntegers<int64_t>(slice, column);
      case DUCKDB_TYPE_UBIGINT:
        return AppendIntegers<uint64_t>(slice, column);
      case DUCKDB_TYPE_HUGEINT:
        return AppendIntegers<duckdb_hugeint>(slice, column);
      case DUCKDB_TYPE_FLOAT:
        return WarnOfInfinity(AppendNumbers<float>(slice, column), index);
      case DUCKDB_TYPE_DOUBLE:
        return WarnOfInfinity(AppendNumbers<double>(slice, column), index);
      case DUCKDB_TYPE_VARCHAR:
        if (plans_[index].type == ColumnType::kCategory) return AppendCategories(slice, dictionary, column);
        return AppendTexts(slice, column);
      default:
        return AppendTimes(slice, plans_[index].read, column);
    }
  }

  void WarnOfInfinity(size_t count, size_t index) {
    if (count == 0 || infinite_[index]) return;
    infinite_[index] = true;
    warnings_.push_back(source_.name + ": column '" + header_.columns[index].name + "' has infinite values, which count as missing");
  }

  DuckDatabase database_;
  std::optional<StandardInputCopy> input_;
  Source source_;
  std::unique_ptr<DuckStream> stream_;
  std::vector<ColumnPlan> plans_;
  std::vector<bool> infinite_;  // columns that were warned of
  Table header_;
  std::vector<std::string> warnings_;
  duckdb_data_chunk chunk_ = nullptr;  // null at the end
  idx_t used_ = 0;                     // rows of it that were given
};

}  // namespace

std::unique_ptr<TableReader> TableReader::Open(const std::string& source, const ReadOptions& options) {
  if (IsPostgresUrl(source)) {
    if (options.query.empty())
      throw Error(ErrorKind::kUsage, "there is no query for " + ShownPlace(source), "say which rows with --query \"SELECT … FROM …\"");
    return OpenPostgresReader(source, OneStatement(options.query));
  }
  if (!options.query.empty())
    throw Error(ErrorKind::kUsage, "a query was given, but " + source + " is not in PostgreSQL", "give the SQL itself as the source");
  return std::make_unique<DuckReader>(source, options);
}

Table ReadTable(const std::string& source, const ReadOptions& options, std::vector<std::string>* warnings) {
  const std::unique_ptr<TableReader> reader = TableReader::Open(source, options);
  reader->EndWhen(options.enough);
  Table table, further;
  if (!reader->Next(SIZE_MAX, &table)) throw Error(ErrorKind::kInput, reader->name() + " has no rows");
  if (warnings != nullptr) *warnings = reader->warnings();
  if (options.enough && reader->Next(1, &further) && warnings != nullptr)
    warnings->push_back(fmt::format("{}: only the first {} rows are used, since reading them all would take too much of the time",
                                    reader->name(), table.rows));
  return table;
}

}  // namespace everlearn
