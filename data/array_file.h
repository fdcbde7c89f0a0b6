// Named arrays in one file, in the safetensors format: 8 bytes of header length, a JSON header, the arrays without holes.
//
// Written by us, read from strangers: every length, type and offset is checked before use. A reader is immutable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace everlearn {

enum class ArrayType { kF64, kF32, kI64, kI32, kU64, kU32, kU16, kU8 };

struct ArrayEntry {
  ArrayType type = ArrayType::kU8;
  std::vector<uint64_t> shape;
  uint64_t count = 0;   // product of the shape
  uint64_t offset = 0;  // of the first byte, in the file
};

class ArrayFileWriter {
 public:
  void SetText(const std::string& name, std::string value) { texts_[name] = std::move(value); }  // goes to __metadata__
  // Copies the values. Names are unique and shapes fit (else kInternal). Shapes: one number (default), or rows × columns.
  template <typename T>
  void Add(const std::string& name, std::span<const T> values, std::vector<uint64_t> shape = {});
  // Texts as UTF-8 bytes `name.bytes` (U8) with offsets `name.offsets` (U64, count + 1).
  void AddTexts(const std::string& name, std::span<const std::string> texts);

  // The file, with metadata "checksum" over all other texts and all arrays (their names, types, shapes and values).
  std::string Bytes() const;
  // Atomically: written beside, flushed to disk, renamed. Throws kNotFound, kPermission, kResource.
  void Save(const std::string& path) const;

 private:
  struct Array {
    ArrayEntry entry;
    std::string bytes;
  };
  void AddEntry(const std::string& name, ArrayType type, std::vector<uint64_t> shape, uint64_t count, std::string bytes);
  // The pieces of the file: its head, which is written to `head`, then each array.
  std::vector<std::string_view> Pieces(std::string* head) const;
  std::map<std::string, std::string> texts_;
  std::map<std::string, Array> arrays_;
};

class ArrayFile {
 public:
  // Throws kNotFound, kPermission, kDamaged; messages name the path.
  static std::shared_ptr<const ArrayFile> Load(const std::string& path);
  static std::shared_ptr<const ArrayFile> Parse(std::string bytes, const std::string& name);
  static std::string ReadBytes(const std::string& path);  // a whole file; throws kNotFound, kPermission, kResource

  const std::map<std::string, std::string>& texts() const { return texts_; }
  const std::string& Text(const std::string& name) const;  // throws kDamaged when absent
  // Of what was read, and whether metadata "checksum" is there and equal to it.
  std::string Checksum() const;
  bool ChecksumMatches() const;
  const std::map<std::string, ArrayEntry>& arrays() const { return entries_; }
  bool Has(const std::string& name) const { return entries_.count(name) > 0; }
  // Throws kDamaged when absent or of another type. The span lives as long as the file object.
  template <typename T>
  std::span<const T> Get(const std::string& name) const;
  std::vector<std::string> GetTexts(const std::string& name) const;

 private:
  [[noreturn]] void Damaged(const std::string& what) const;
  void ReadHeader(uint64_t data_begin);
  void ReadEntry(const std::string& name, const Json& json, uint64_t data_begin);
  const ArrayEntry& Find(const std::string& name, ArrayType type) const;
  std::string name_;
  std::string bytes_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, ArrayEntry> entries_;
};

}  // namespace everlearn
