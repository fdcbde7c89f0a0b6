// One array of the Arrow C data interface: its type, and its checked values.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "data/arrow.h"
#include "data/table.h"

namespace everlearn {

enum class ArrowStorage {
  kNull,
  kBits,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat,
  kDouble,
  kDecimal128,
  kText32,  // offsets of so many bits
  kText64,
  kTextView
};

struct ArrowType {
  ArrowStorage storage = ArrowStorage::kNull;
  ColumnType column = ColumnType::kText;  // what it becomes
  int64_t multiplier = 1, divisor = 1;    // to microseconds; of a decimal to its value
  bool is_integer() const { return storage >= ArrowStorage::kInt8 && storage <= ArrowStorage::kUint64; }
};

// Of a format string; nothing where it is none that is read.
std::optional<ArrowType> ParseArrowType(std::string_view format);

// A view of an array without children. `where` names it in messages and must outlive this, as must the array.
class ArrowValues {
 public:
  // Throws kInput where the structure contradicts itself, its type, or has fewer than `rows` values.
  ArrowValues(const ArrowArray& array, ArrowType type, int64_t rows, const std::string& where);

  const ArrowType& type() const { return type_; }
  bool valid(int64_t row) const { return type_.storage != ArrowStorage::kNull && (validity_ == nullptr || Bit(validity_, offset_ + row)); }
  bool bit(int64_t row) const { return Bit(data_, offset_ + row); }
  template <typename T>
  T value(int64_t row) const {
    return Load<T>(data_, offset_ + row);
  }
  // Throws kInput where offsets go astray or the text is no UTF-8.
  std::string_view text(int64_t row) const;

  static bool Bit(const void* bits, int64_t i) { return (static_cast<const uint8_t*>(bits)[i / 8] >> (i % 8) & 1) != 0; }

 private:
  // Nothing says that buffers are aligned.
  template <typename T>
  static T Load(const void* buffer, int64_t i) {
    T value;
    std::memcpy(&value, static_cast<const char*>(buffer) + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
  template <typename Offset>
  std::string_view TextBetweenOffsets(int64_t row) const;
  std::string_view TextOfView(int64_t row) const;
  [[noreturn]] void Refuse(int64_t row, const std::string& what) const;

  const ArrowArray& array_;
  const ArrowType type_;
  const std::string& where_;
  const int64_t offset_;
  const void* validity_ = nullptr;
  const void* data_ = nullptr;
};

// Checks length, offset, counts of nulls, buffers and children. Throws kInput naming `where`.
void CheckArrowArray(const ArrowArray& array, int64_t buffers, int64_t children, const std::string& where);

}  // namespace everlearn
