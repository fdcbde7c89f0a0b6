// Binary encoding of small records (events, online states, checkpoints): little-endian, read back with bounds checks.
//
// A writer or reader belongs to one thread. Reading past the end throws kDamaged, never reads outside the span.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace everlearn {

static_assert(std::endian::native == std::endian::little, "the encoding is the memory's on little-endian machines");

class ByteWriter {
 public:
  ByteWriter() = default;
  // Writes into the memory of `buffer`, whose content is dropped: for records that are made again and again.
  explicit ByteWriter(std::string&& buffer) : bytes_(std::move(buffer)) { bytes_.clear(); }

  template <typename T>
  void Put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }

  // 7 bits a byte, small numbers short.
  void PutVarint(uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }

  void PutText(std::string_view text) {
    PutVarint(text.size());
    bytes_.append(text);
  }

  template <typename T>
  void PutAll(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    PutVarint(values.size());
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }
  template <typename T>
  void PutAll(const std::vector<T>& values) {
    PutAll(std::span<const T>(values));
  }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }
  void Clear() { bytes_.clear(); }
  size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Get() {
    static_assert(std::is_trivially_copyable_v<T>);
    if constexpr (std::is_same_v<T, bool>) return *Need(1) != 0;  // any other byte than 0 and 1 would be no bool
    T value;
    std::memcpy(&value, Need(sizeof value), sizeof value);
    return value;
  }

  uint64_t GetVarint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(*Need(1));
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw Error(ErrorKind::kDamaged, "a number in a stored record is too long");
  }

  // The number of records that follow. Each takes at least one byte, so a larger one cannot be true.
  uint64_t GetCount() {
    const uint64_t count = GetVarint();
    if (count > bytes_.size() - at_) Need(bytes_.size() - at_ + 1);
    return count;
  }

  std::string GetText() {
    const uint64_t size = GetVarint();
    return std::string(Need(size), size);
  }

  template <typename T>
  std::vector<T> GetAll() {
    static_assert(std::is_trivially_copyable_v<T>);
    const uint64_t count = GetVarint();
    if (count > (bytes_.size() - at_) / sizeof(T)) Need(bytes_.size() - at_ + 1);
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), Need(count * sizeof(T)), count * sizeof(T));
    return values;
  }

  bool done() const { return at_ == bytes_.size(); }
  size_t position() const { return at_; }

 private:
  const char* Need(uint64_t size) {
    if (size > bytes_.size() - at_) throw Error(ErrorKind::kDamaged, "a stored record ends too early");
    const char* here = bytes_.data() + at_;
    at_ += size;
    return here;
  }

  std::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace everlearn
