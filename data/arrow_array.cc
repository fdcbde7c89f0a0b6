#include "data/arrow_array.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "base/timestamp.h"
#include "data/field.h"

namespace everlearn {
namespace {

constexpr int64_t kMostRows = INT64_C(1) << 48;  // no memory holds more; positions in bytes stay far from overflow
constexpr int64_t kMostChildren = 1 << 20;
constexpr int kDecimalDigits = 18;  // of a scale that 64 bits hold

// "d:precision,scale" or "d:precision,scale,128".
std::optional<ArrowType> ParseDecimal(std::string_view format) {
  if (format.ends_with(",128")) format.remove_suffix(4);
  const size_t comma = format.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view digits = format.substr(comma + 1);
  int scale = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), scale);
  if (error != std::errc() || end != digits.data() + digits.size() || scale < 0 || scale > kDecimalDigits) return std::nullopt;
  ArrowType type{ArrowStorage::kDecimal128, ColumnType::kNumber};
  for (int i = 0; i < scale; ++i) type.divisor *= 10;
  return type;
}

std::optional<ArrowType> ParseTime(std::string_view format) {
  constexpr int64_t kMillisecond = 1000;
  if (format == "tdD") return ArrowType{ArrowStorage::kInt32, ColumnType::kTimestamp, kMicrosecondsPerDay};
  if (format == "tdm") return ArrowType{ArrowStorage::kInt64, ColumnType::kTimestamp, kMillisecond};
  if (format.size() < 4 || !format.starts_with("ts") || format[3] != ':') return std::nullopt;
  switch (format[2]) {
    case 's':
      return ArrowType{ArrowStorage::kInt64, ColumnType::kTimestamp, kMicrosecondsPerSecond};
    case 'm':
      return ArrowType{ArrowStorage::kInt64, ColumnType::kTimestamp, kMillisecond};
    case 'u':
      return ArrowType{ArrowStorage::kInt64, ColumnType::kTimestamp};
    case 'n':
      return ArrowType{ArrowStorage::kInt64, ColumnType::kTimestamp, 1, 1000};
    default:
      return std::nullopt;
  }
}

// Buffers that an array of this storage has; for views at least.
int64_t BufferCount(ArrowStorage storage) {
  switch (storage) {
    case ArrowStorage::kNull:
      return 0;
    case ArrowStorage::kText32:
    case ArrowStorage::kText64:
    case ArrowStorage::kTextView:
      return 3;
    default:
      return 2;
  }
}

}  // namespace

std::optional<ArrowType> ParseArrowType(std::string_view format) {
  using enum ArrowStorage;
  constexpr std::array<std::pair<std::string_view, ArrowType>, 15> kPlain = {{
      {"n", {kNull, ColumnType::kText}},
      {"b", {kBits, ColumnType::kBoolean}},
      {"c", {kInt8, ColumnType::kInteger}},
      {"C", {kUint8, ColumnType::kInteger}},
      {"s", {kInt16, ColumnType::kInteger}},
      {"S", {kUint16, ColumnType::kInteger}},
      {"i", {kInt32, ColumnType::kInteger}},
      {"I", {kUint32, ColumnType::kInteger}},
      {"l", {kInt64, ColumnType::kInteger}},
      {"L", {kUint64, ColumnType::kInteger}},
      {"f", {kFloat, ColumnType::kNumber}},
      {"g", {kDouble, ColumnType::kNumber}},
      {"u", {kText32, ColumnType::kText}},
      {"U", {kText64, ColumnType::kText}},
      {"vu", {kTextView, ColumnType::kText}},
  }};
  for (const auto& [known, type] : kPlain)
    if (known == format) return type;
  return format.starts_with("d:") ? ParseDecimal(format.substr(2)) : ParseTime(format);
}

void CheckArrowArray(const ArrowArray& array, int64_t buffers, int64_t children, const std::string& where) {
  const auto refuse = [&](const std::string& what) { throw Error(ErrorKind::kInput, where + ": the Arrow array " + what); };
  if (array.release == nullptr) refuse("was released or moved away");
  if (array.length < 0 || array.offset < 0 || array.length > kMostRows || array.offset > kMostRows)
    refuse(fmt::format("cannot have length {} and offset {}", array.length, array.offset));
  if (array.null_count < -1 || array.null_count > array.length)
    refuse(fmt::format("cannot have {} nulls in {} values", array.null_count, array.length));
  if (array.n_buffers != buffers) refuse(fmt::format("has {} buffers instead of {}", array.n_buffers, buffers));
  if (array.n_children != children) refuse(fmt::format("has {} children instead of {}", array.n_children, children));
  if (buffers > 0 && array.buffers == nullptr) refuse("has no buffers");
  if (children > 0 && array.children == nullptr) refuse("has no children");
  if (buffers > 0 && array.null_count > 0 && array.buffers[0] == nullptr) refuse("has nulls but does not say which");
}

ArrowValues::ArrowValues(const ArrowArray& array, ArrowType type, int64_t rows, const std::string& where)
    : array_(array), type_(type), where_(where), offset_(array.offset) {
  const bool views = type.storage == ArrowStorage::kTextView;
  const int64_t least = BufferCount(type.storage);
  CheckArrowArray(array, views && array.n_buffers > least && array.n_buffers < kMostChildren ? array.n_buffers : least, 0, where);
  if (array.length < rows) throw Error(ErrorKind::kInput, fmt::format("{}: {} values for {} rows", where, array.length, rows));
  if (least == 0) return;
  validity_ = array.buffers[0];
  data_ = array.buffers[1];
  if (array.length > 0 && data_ == nullptr) throw Error(ErrorKind::kInput, where + ": the Arrow array has no values");
  if (views && array.n_buffers > least && array.buffers[array.n_buffers - 1] == nullptr)
    throw Error(ErrorKind::kInput, where + ": the Arrow array does not say how long its texts are");
}

std::string_view ArrowValues::text(int64_t row) const {
  const std::string_view found = type_.storage == ArrowStorage::kText32   ? TextBetweenOffsets<int32_t>(row)
                                 : type_.storage == ArrowStorage::kText64 ? TextBetweenOffsets<int64_t>(row)
                                                                          : TextOfView(row);
  if (!IsUtf8(found)) Refuse(row, "is no UTF-8 text");
  return found;
}

template <typename Offset>
std::string_view ArrowValues::TextBetweenOffsets(int64_t row) const {
  const auto begin = Load<Offset>(data_, offset_ + row), end = Load<Offset>(data_, offset_ + row + 1);
  if (begin < 0 || end < begin || end > kMostRows) Refuse(row, fmt::format("lies from {} to {}", begin, end));
  if (begin == end) return {};
  if (array_.buffers[2] == nullptr) Refuse(row, "has no characters");
  return {static_cast<const char*>(array_.buffers[2]) + begin, static_cast<size_t>(end - begin)};
}

// 16 bytes: length; then up to 12 characters, or 4 of them, the number of a buffer and the position there.
std::string_view ArrowValues::TextOfView(int64_t row) const {
  constexpr int32_t kInlined = 12;
  const char* const view = static_cast<const char*>(data_) + (offset_ + row) * 16;
  const auto length = Load<int32_t>(view, 0);
  if (length < 0) Refuse(row, fmt::format("has length {}", length));
  if (length <= kInlined) return {view + 4, static_cast<size_t>(length)};
  const auto buffer = Load<int32_t>(view, 2), begin = Load<int32_t>(view, 3);
  const int64_t texts = array_.n_buffers - 3;
  if (buffer < 0 || buffer >= texts || begin < 0) Refuse(row, fmt::format("lies at {} of buffer {}", begin, buffer));
  const auto size = Load<int64_t>(array_.buffers[array_.n_buffers - 1], buffer);
  if (size < length || begin > size - length || array_.buffers[2 + buffer] == nullptr) Refuse(row, "lies outside of its buffer");
  return {static_cast<const char*>(array_.buffers[2 + buffer]) + begin, static_cast<size_t>(length)};
}

void ArrowValues::Refuse(int64_t row, const std::string& what) const {
  throw Error(ErrorKind::kInput, fmt::format("{}: value {} of the Arrow array {}", where_, row + 1, what));
}

}  // namespace everlearn
