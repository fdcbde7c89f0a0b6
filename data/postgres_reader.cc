#include "data/postgres_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "base/error.h"
#include "data/csv_header.h"
#include "data/duck.h"
#include "data/postgres.h"

namespace everlearn {
namespace {

constexpr int64_t kExactIntegers = int64_t{1} << 53;   // beyond, doubles leave integers out
constexpr double kMicrosecondsOf2000 = 946'684'800e6;  // PostgreSQL counts from then
constexpr double kDay = 86'400e6;
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);  // then flags and the length of an extension, 4 bytes each

// Kinds of values in the stream; the oids are those of PostgreSQL's catalog (pg_type.dat).
enum class Form { kBoolean, kInteger, kDouble, kDate, kTimestamp, kCategory, kText };

struct Plan {
  Form form;
  ColumnType type;
  const char* cast = "";  // what SQL does first
};

Plan PlanOf(uint32_t oid, bool is_enum) {
  if (is_enum) return {Form::kCategory, ColumnType::kCategory, "::text"};
  switch (oid) {
    case 16:
      return {Form::kBoolean, ColumnType::kBoolean};
    case 20:
    case 21:
    case 23:
      return {Form::kInteger, ColumnType::kInteger};
    case 701:
      return {Form::kDouble, ColumnType::kNumber};
    case 700:
    case 1700:  // numeric
      return {Form::kDouble, ColumnType::kNumber, "::double precision"};
    case 1082:
      return {Form::kDate, ColumnType::kTimestamp};
    case 1114:
    case 1184:
      return {Form::kTimestamp, ColumnType::kTimestamp};
    default:
      return {Form::kText, ColumnType::kText, "::text"};
  }
}

class PostgresReader : public TableReader {
 public:
  PostgresReader(const std::string& url, const std::string& query) : connection_(url) {
    connection_.Execute("SET default_transaction_read_only = on");
    const PostgresResult described = connection_.Describe(query);
    if (described.columns() == 0) throw Error(ErrorKind::kInput, connection_.name() + ": the query has no columns");
    const std::set<int64_t> enums = EnumTypes();
    std::vector<std::string> names, inner, selected;
    for (int i = 0; i < described.columns(); ++i) {
      plans_.push_back(PlanOf(described.type(i), enums.contains(described.type(i))));
      names.push_back(described.name(i));
      inner.push_back(fmt::format("c{}", i));
      selected.push_back(inner.back() + plans_.back().cast);
    }
    MakeNamesUnique(&names, connection_.name(), &warnings_);
    for (size_t i = 0; i < names.size(); ++i) header_.columns.push_back(Column{.name = names[i], .type = plans_[i].type});
    infinite_.resize(names.size());
    // The line break ends a comment at the query's end.
    connection_.BeginCopy(fmt::format("COPY (SELECT {} FROM ({}\n) AS source({})) TO STDOUT (FORMAT binary)", fmt::join(selected, ", "),
                                      query, fmt::join(inner, ", ")));
    if (!Refill() || piece_.size() < kSignature.size() + 8 || !piece_.starts_with(kSignature)) ThrowCut();
    piece_.remove_prefix(kSignature.size() + 4);
    Take(static_cast<size_t>(PostgresInteger(Take(4))));
  }

  const Table& header() const override { return header_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  const std::string& name() const override { return connection_.name(); }

  bool Next(size_t rows, Table* batch) override {
    *batch = header_;
    std::vector<Dictionary> dictionaries(plans_.size());
    constexpr size_t kLookEvery = 1'000;
    while (batch->rows < rows && !done_ && !(batch->rows > 0 && batch->rows % kLookEvery == 0 && Enough())) {
      if (piece_.empty() && !Refill()) ThrowCut();
      const int64_t count = PostgresInteger(Take(2));
      if (count < 0) {
        done_ = true;
        while (Refill()) piece_ = {};  // an error after the last row would be told here
        break;
      }
      if (count != static_cast<int64_t>(plans_.size())) ThrowCut();
      for (size_t i = 0; i < plans_.size(); ++i) {
        const int64_t size = PostgresInteger(Take(4));
        if (size < 0) AppendMissing(&batch->columns[i]);
        else Append(i, Take(static_cast<size_t>(size)), &dictionaries[i], &batch->columns[i]);
      }
      ++batch->rows;
    }
    for (size_t i = 0; i < plans_.size(); ++i)
      if (plans_[i].form == Form::kCategory) batch->columns[i].dictionary = dictionaries[i].Take();
    return batch->rows > 0;
  }

 private:
  std::set<int64_t> EnumTypes() {
    const PostgresResult found = connection_.Query("SELECT oid::bigint FROM pg_type WHERE typtype = 'e'");
    std::set<int64_t> types;
    for (int row = 0; row < found.rows(); ++row) types.insert(found.Integer(row, 0));
    return types;
  }

  // The server sends a row whole in one piece, the first one with the header before it.
  bool Refill() { return connection_.NextCopy(&piece_); }
  [[noreturn]] void ThrowCut() const { throw Error(ErrorKind::kDamaged, connection_.name() + " sent rows that cannot be read"); }
  std::string_view Take(size_t size) {
    if (size > piece_.size()) ThrowCut();
    const std::string_view taken = piece_.substr(0, size);
    piece_.remove_prefix(size);
    return taken;
  }

  static void AppendMissing(Column* column) {
    if (column->type == ColumnType::kText) column->text.AppendMissing();
    else if (column->type == ColumnType::kCategory) column->codes.push_back(kMissingCode);
    else column->numbers.push_back(kMissing);
  }

  void Append(size_t index, std::string_view bytes, Dictionary* dictionary, Column* column) {
    switch (plans_[index].form) {
      case Form::kBoolean:
        return column->numbers.push_back(static_cast<double>(PostgresInteger(bytes)));
      case Form::kInteger:
        return AppendInteger(PostgresInteger(bytes), column);
      case Form::kDouble:
        return AppendNumber(index, std::bit_cast<double>(PostgresInteger(bytes)), column);
      case Form::kDate:
        return AppendTime(PostgresInteger(bytes), kDay, std::numeric_limits<int32_t>::max(), column);
      case Form::kTimestamp:
        return AppendTime(PostgresInteger(bytes), 1, std::numeric_limits<int64_t>::max(), column);
      case Form::kCategory:
        return column->codes.push_back(dictionary->Code(bytes));
      case Form::kText:
        return column->text.Append(bytes);
    }
  }

  static void AppendInteger(int64_t value, Column* column) {
    if (value > kExactIntegers || value < -kExactIntegers) column->BecomeText();
    if (column->type == ColumnType::kText) column->text.Append(std::to_string(value));
    else column->numbers.push_back(static_cast<double>(value));
  }

  void AppendNumber(size_t index, double value, Column* column) {
    column->numbers.push_back(std::isfinite(value) ? value : kMissing);
    if (!std::isinf(value) || infinite_[index]) return;
    infinite_[index] = true;
    warnings_.push_back(connection_.name() + ": column '" + column->name + "' has infinite values, which count as missing");
  }

  // `infinity` and its opposite are no times.
  static void AppendTime(int64_t value, double unit, int64_t infinity, Column* column) {
    const bool finite = value < infinity && value > -infinity - 1;
    column->numbers.push_back(finite ? static_cast<double>(value) * unit + kMicrosecondsOf2000 : kMissing);
  }

  PostgresConnection connection_;
  std::vector<Plan> plans_;
  std::vector<bool> infinite_;  // columns that were warned of
  Table header_;
  std::vector<std::string> warnings_;
  std::string_view piece_;  // what is left of the last one
  bool done_ = false;
};

}  // namespace

std::unique_ptr<TableReader> OpenPostgresReader(const std::string& url, const std::string& query) {
  return std::make_unique<PostgresReader>(url, query);
}

std::string TableQuery(std::string_view table) {
  const size_t dot = table.find('.');
  if (dot == std::string_view::npos) return "SELECT * FROM " + SqlName(table);
  return "SELECT * FROM " + SqlName(table.substr(0, dot)) + "." + SqlName(table.substr(dot + 1));
}

}  // namespace everlearn
