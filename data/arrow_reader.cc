#include "data/arrow_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.h"
#include "data/arrow_array.h"
#include "data/csv_header.h"
#include "data/field.h"

namespace everlearn {
namespace {

using Int128 = __int128;

constexpr int64_t kExactIntegers = INT64_C(1) << 53;  // beyond, doubles leave integers out
constexpr int64_t kMostColumns = 1 << 20;

struct Plan {
  std::string where;  // "source: column 'name'"
  ArrowType type;     // of the values; where there is a dictionary, of the codes
  std::optional<ArrowType> dictionary = {};

  ColumnType column() const { return dictionary ? ColumnType::kCategory : type.column; }
};

// Rows of one column of a batch: `row` counts from the first of the batch's struct, whose own nulls and offset count too.
struct Slice {
  const ArrowArray& batch;
  const ArrowValues& values;
  int64_t begin, end;

  template <typename Present, typename Absent>
  void ForEach(const Present& present, const Absent& absent) const {
    const void* const validity = batch.n_buffers > 0 ? batch.buffers[0] : nullptr;
    for (int64_t row = begin + batch.offset; row < end + batch.offset; ++row) {
      if ((validity != nullptr && !ArrowValues::Bit(validity, row)) || !values.valid(row)) absent();
      else present(row);
    }
  }
};

template <typename Visit>
void VisitInteger(const ArrowValues& values, const Visit& visit) {
  switch (values.type().storage) {
    case ArrowStorage::kInt8:
      return visit([&](int64_t row) { return values.value<int8_t>(row); });
    case ArrowStorage::kUint8:
      return visit([&](int64_t row) { return values.value<uint8_t>(row); });
    case ArrowStorage::kInt16:
      return visit([&](int64_t row) { return values.value<int16_t>(row); });
    case ArrowStorage::kUint16:
      return visit([&](int64_t row) { return values.value<uint16_t>(row); });
    case ArrowStorage::kInt32:
      return visit([&](int64_t row) { return values.value<int32_t>(row); });
    case ArrowStorage::kUint32:
      return visit([&](int64_t row) { return values.value<uint32_t>(row); });
    case ArrowStorage::kInt64:
      return visit([&](int64_t row) { return values.value<int64_t>(row); });
    default:
      return visit([&](int64_t row) { return values.value<uint64_t>(row); });
  }
}

// A column with an integer that a double cannot hold becomes text, as it does when it comes from a file.
void AppendIntegers(const Slice& slice, Column* column) {
  VisitInteger(slice.values, [&](const auto& value) {
    if constexpr (sizeof(value(0)) == sizeof(int64_t)) {
      bool exact = true;
      slice.ForEach([&](int64_t row) { exact = exact && Int128{value(row)} <= kExactIntegers && Int128{value(row)} >= -kExactIntegers; },
                    [] {});
      if (!exact) column->BecomeText();
    }
    if (column->type == ColumnType::kText)
      slice.ForEach([&](int64_t row) { column->text.Append(std::to_string(value(row))); }, [&] { column->text.AppendMissing(); });
    else
      slice.ForEach([&](int64_t row) { column->numbers.push_back(static_cast<double>(value(row))); },
                    [&] { column->numbers.push_back(kMissing); });
  });
}

// Microseconds; infinite where 64 bits do not hold them, or say so by their largest value.
double Microseconds(int64_t value, const ArrowType& type) {
  const Int128 time = type.divisor == 1 ? Int128{value} * type.multiplier : value / type.divisor - (value % type.divisor < 0 ? 1 : 0);
  constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max();
  const bool finite = value != kInfinite && value > -kInfinite && time < kInfinite && time > -kInfinite;
  return finite ? static_cast<double>(time) : std::numeric_limits<double>::infinity();
}

double NumberAt(const ArrowValues& values, int64_t row) {
  const ArrowType& type = values.type();
  switch (type.storage) {
    case ArrowStorage::kBits:
      return values.bit(row) ? 1 : 0;
    case ArrowStorage::kFloat:
      return values.value<float>(row);
    case ArrowStorage::kDouble:
      return values.value<double>(row);
    case ArrowStorage::kDecimal128:
      return static_cast<double>(values.value<Int128>(row)) / static_cast<double>(type.divisor);
    case ArrowStorage::kInt32:  // days
      return Microseconds(values.value<int32_t>(row), type);
    default:
      return Microseconds(values.value<int64_t>(row), type);
  }
}

// Returns whether a value was infinite, which counts as missing.
bool AppendValues(const Slice& slice, Column* column) {
  const ArrowType& type = slice.values.type();
  if (type.column == ColumnType::kText) {
    slice.ForEach([&](int64_t row) { column->text.Append(slice.values.text(row)); }, [&] { column->text.AppendMissing(); });
    return false;
  }
  if (type.column == ColumnType::kInteger) {
    AppendIntegers(slice, column);
    return false;
  }
  bool infinite = false;
  const auto append = [&](int64_t row) {
    const double value = NumberAt(slice.values, row);
    infinite = infinite || std::isinf(value);
    column->numbers.push_back(std::isfinite(value) ? value : kMissing);
  };
  slice.ForEach(append, [&] { column->numbers.push_back(kMissing); });
  return infinite;
}

class ArrowReader : public TableReader {
 public:
  ArrowReader(ArrowArrayStream* stream, const std::string& name) : name_(name), stream_(stream) {
    if (stream_.empty()) throw Error(ErrorKind::kInput, name_ + ": the Arrow stream was released or moved away");
    if (const int code = stream_->get_schema(stream_.get(), schema_.get()); code != 0) ThrowOfStream(code);
    PlanColumns();
  }
  ArrowReader(ArrowSchema* schema, ArrowArray* array, const std::string& name) : name_(name), schema_(schema), batch_(array) {
    PlanColumns();
    StartBatch();
  }

  const Table& header() const override { return header_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  const std::string& name() const override { return name_; }

  bool Next(size_t rows, Table* batch) override {
    *batch = header_;
    std::vector<Dictionary> dictionaries(plans_.size());
    while (batch->rows < rows && HasRows()) {
      const auto count = static_cast<int64_t>(std::min(rows - batch->rows, static_cast<size_t>(batch_->length - used_)));
      for (size_t c = 0; c < plans_.size(); ++c) Append(c, count, &dictionaries[c], &batch->columns[c]);
      used_ += count;
      batch->rows += static_cast<size_t>(count);
    }
    for (size_t c = 0; c < plans_.size(); ++c)
      if (plans_[c].dictionary) batch->columns[c].dictionary = dictionaries[c].Take();
    return batch->rows > 0;
  }

 private:
  [[noreturn]] void ThrowOfStream(int code) {
    const char* const message = stream_->get_last_error == nullptr ? nullptr : stream_->get_last_error(stream_.get());
    throw Error(ErrorKind::kInput, name_ + ": " + (message == nullptr ? std::strerror(code) : message));
  }

  void PlanColumns() {
    if (schema_.empty() || schema_->format == nullptr) throw Error(ErrorKind::kInput, name_ + ": the Arrow schema is empty");
    if (std::string_view(schema_->format) != "+s")
      throw Error(ErrorKind::kInput, fmt::format("{} is no table: its Arrow format is '{}'", name_, schema_->format),
                  "hand over record batches, whose format is '+s'");
    if (schema_->n_children == 0) throw Error(ErrorKind::kInput, name_ + " has no columns");
    if (schema_->n_children < 0 || schema_->n_children > kMostColumns || schema_->children == nullptr)
      throw Error(ErrorKind::kInput, fmt::format("{}: the Arrow schema cannot have {} columns", name_, schema_->n_children));
    std::vector<std::string> names;
    for (int64_t c = 0; c < schema_->n_children; ++c) {
      const ArrowSchema* const child = schema_->children[c];
      if (child == nullptr || child->release == nullptr || child->format == nullptr)
        throw Error(ErrorKind::kInput, fmt::format("{}: column {} of the Arrow schema is empty", name_, c + 1));
      names.emplace_back(child->name == nullptr ? "" : child->name);
      if (!IsUtf8(names.back())) throw Error(ErrorKind::kInput, fmt::format("{}: the name of column {} is no UTF-8 text", name_, c + 1));
    }
    MakeNamesUnique(&names, name_, &warnings_);
    for (size_t c = 0; c < names.size(); ++c) {
      plans_.push_back(PlanOf(*schema_->children[c], fmt::format("{}: column '{}'", name_, names[c])));
      header_.columns.push_back(Column{.name = names[c], .type = plans_.back().column()});
    }
    dictionaries_.resize(names.size());
    infinite_.resize(names.size());
  }

  static ArrowType TypeOf(const ArrowSchema& schema, const std::string& where) {
    const auto type = ParseArrowType(schema.format);
    if (!type || schema.n_children != 0)
      throw Error(ErrorKind::kInput, fmt::format("{} is of Arrow type '{}', which is not read", where, schema.format),
                  "cast it to a number, text, boolean or timestamp, or leave it out");
    return *type;
  }

  static Plan PlanOf(const ArrowSchema& schema, const std::string& where) {
    Plan plan{where, TypeOf(schema, where)};
    if (schema.dictionary == nullptr) return plan;
    if (!plan.type.is_integer() || schema.dictionary->format == nullptr || schema.dictionary->dictionary != nullptr)
      throw Error(ErrorKind::kInput, where + " has a damaged Arrow dictionary");
    plan.dictionary = TypeOf(*schema.dictionary, where);
    return plan;
  }

  // Whether a row is left, in this batch or in one that the stream still has.
  bool HasRows() {
    while (batch_.empty() || used_ == batch_->length) {
      batch_.Release();
      if (stream_.empty()) return false;
      if (const int code = stream_->get_next(stream_.get(), batch_.get()); code != 0) ThrowOfStream(code);
      if (batch_.empty()) {
        stream_.Release();
        return false;
      }
      StartBatch();
    }
    return true;
  }

  // Checks the batch and reads its dictionaries.
  void StartBatch() {
    used_ = 0;
    CheckArrowArray(*batch_, 1, static_cast<int64_t>(plans_.size()), name_);
    for (size_t c = 0; c < plans_.size(); ++c) {
      const ArrowArray* const child = batch_->children[c];
      if (child == nullptr) throw Error(ErrorKind::kInput, plans_[c].where + ": the Arrow array is missing");
      const ArrowValues checked(*child, plans_[c].type, batch_->offset + batch_->length, plans_[c].where);
      if ((child->dictionary != nullptr) != plans_[c].dictionary.has_value())
        throw Error(ErrorKind::kInput, plans_[c].where + ": the Arrow array and its schema disagree about a dictionary");
      if (child->dictionary == nullptr) continue;
      const ArrowArray& dictionary = *child->dictionary;
      const ArrowValues values(dictionary, *plans_[c].dictionary, dictionary.length, plans_[c].where);
      const ArrowArray whole{};  // without nulls and offset of its own
      dictionaries_[c] = Column{.name = "", .type = plans_[c].dictionary->column};
      AppendValues({whole, values, 0, dictionary.length}, &dictionaries_[c]);
      dictionaries_[c].BecomeText();
    }
  }

  void Append(size_t c, int64_t count, Dictionary* dictionary, Column* column) {
    const Plan& plan = plans_[c];
    const ArrowValues values(*batch_->children[c], plan.type, batch_->offset + batch_->length, plan.where);
    const Slice slice{*batch_, values, used_, used_ + count};
    if (plan.dictionary) return AppendCodes(slice, plan, dictionaries_[c].text, dictionary, column);
    if (!AppendValues(slice, column) || infinite_[c]) return;
    infinite_[c] = true;
    warnings_.push_back(plan.where + " has infinite values, which count as missing");
  }

  static void AppendCodes(const Slice& slice, const Plan& plan, const TextArray& texts, Dictionary* dictionary, Column* column) {
    const auto absent = [&] { column->codes.push_back(kMissingCode); };
    VisitInteger(slice.values, [&](const auto& code) {
      slice.ForEach(
          [&](int64_t row) {
            const auto at = Int128{code(row)};
            if (at < 0 || at >= Int128{texts.size()})
              throw Error(ErrorKind::kInput, fmt::format("{}: there is no value {} in a dictionary of {}", plan.where,
                                                         std::to_string(code(row)), texts.size()));
            if (texts.missing(static_cast<size_t>(at))) absent();
            else column->codes.push_back(dictionary->Code(texts[static_cast<size_t>(at)]));
          },
          absent);
    });
  }

  std::string name_;
  ArrowOwner<ArrowArrayStream> stream_;
  ArrowOwner<ArrowSchema> schema_;
  ArrowOwner<ArrowArray> batch_;
  int64_t used_ = 0;  // rows of the batch that were given
  std::vector<Plan> plans_;
  std::vector<Column> dictionaries_;  // of the batch, as text
  std::vector<bool> infinite_;        // columns that were warned of
  Table header_;
  std::vector<std::string> warnings_;
};

}  // namespace

std::unique_ptr<TableReader> OpenArrowReader(ArrowArrayStream* stream, const std::string& name) {
  return std::make_unique<ArrowReader>(stream, name);
}

std::unique_ptr<TableReader> OpenArrowReader(ArrowSchema* schema, ArrowArray* array, const std::string& name) {
  return std::make_unique<ArrowReader>(schema, array, name);
}

}  // namespace everlearn
