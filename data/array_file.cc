// The safetensors format, written with a checksum and read with suspicion.
#include "data/array_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/hash.h"

namespace everlearn {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr size_t kMaxDimensions = 8;
constexpr const char* kChecksum = "checksum";

struct TypeInfo {
  std::string_view name;
  uint64_t size;
};
constexpr std::array<TypeInfo, 8> kTypes = {
    {{"F64", 8}, {"F32", 4}, {"I64", 8}, {"I32", 4}, {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1}}};

const TypeInfo& Info(ArrayType type) { return kTypes[static_cast<size_t>(type)]; }

template <typename T>
constexpr ArrayType TypeOf() {
  if constexpr (std::is_same_v<T, double>) return ArrayType::kF64;
  if constexpr (std::is_same_v<T, float>) return ArrayType::kF32;
  if constexpr (std::is_same_v<T, int64_t>) return ArrayType::kI64;
  if constexpr (std::is_same_v<T, int32_t>) return ArrayType::kI32;
  if constexpr (std::is_same_v<T, uint64_t>) return ArrayType::kU64;
  if constexpr (std::is_same_v<T, uint32_t>) return ArrayType::kU32;
  if constexpr (std::is_same_v<T, uint16_t>) return ArrayType::kU16;
  if constexpr (std::is_same_v<T, uint8_t>) return ArrayType::kU8;
}

// Product of a shape, or false where it overflows.
bool Product(const std::vector<uint64_t>& shape, uint64_t* product) {
  *product = 1;
  for (const uint64_t size : shape) {
    if (__builtin_mul_overflow(*product, size, product)) return false;
  }
  return true;
}

// One hash over a chain of pieces; lengths go in, so that no two lists of pieces give the same chain of bytes.
class Chain {
 public:
  void Add(std::string_view piece) {
    const uint64_t size = piece.size();
    hash_ = HashBytes({reinterpret_cast<const char*>(&size), sizeof size}, hash_);
    hash_ = HashBytes(piece, hash_);
  }
  void AddTexts(const std::map<std::string, std::string>& texts) {
    for (const auto& [name, text] : texts) {
      if (name == kChecksum) continue;
      Add(name);
      Add(text);
    }
  }
  void AddArray(const std::string& name, const ArrayEntry& entry, std::string_view bytes) {
    Add(name);
    Add(Info(entry.type).name);
    Add({reinterpret_cast<const char*>(entry.shape.data()), entry.shape.size() * sizeof(uint64_t)});
    Add(bytes);
  }
  std::string Text() const { return HashText(hash_); }

 private:
  uint64_t hash_ = 0;
};

// Names of an object in valid JSON text are followed by the only colons outside of texts.
size_t CountNames(std::string_view json) {
  size_t names = 0;
  bool in_text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"') in_text = !in_text;
    if (in_text && json[i] == '\\') ++i;
    if (!in_text && json[i] == ':') ++names;
  }
  return names;
}

size_t CountMembers(const Json& value) {
  size_t members = 0;
  if (value.is_object()) {
    members = value.get_object().size();
    for (const auto& member : value.get_object()) members += CountMembers(member.value());
  } else if (value.is_array()) {
    for (const Json& item : value.get_array()) members += CountMembers(item);
  }
  return members;
}

uint64_t Unsigned(const Json& value) {
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<uint64_t>(value.get_int64());
  if (value.is_uint64()) return value.get_uint64();
  throw Error(ErrorKind::kDamaged, "a length or offset is not a whole number");
}

[[noreturn]] void SystemFailure(const std::string& action, const std::string& path, int code) {
  ErrorKind kind = ErrorKind::kResource;
  if (code == ENOENT || code == ENOTDIR) kind = ErrorKind::kNotFound;
  if (code == EACCES || code == EPERM || code == EROFS || code == EISDIR) kind = ErrorKind::kPermission;
  throw Error(kind, fmt::format("cannot {} {}: {}", action, path, std::strerror(code)));
}

class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

void ArrayFileWriter::AddEntry(const std::string& name, ArrayType type, std::vector<uint64_t> shape, uint64_t count, std::string bytes) {
  if (shape.empty()) shape = {count};
  uint64_t product = 0;
  if (!Product(shape, &product) || product != count) throw Error(ErrorKind::kInternal, "the shape of array " + name + " does not fit");
  ArrayEntry entry{type, std::move(shape), count, 0};
  if (!arrays_.emplace(name, Array{std::move(entry), std::move(bytes)}).second) {
    throw Error(ErrorKind::kInternal, "array " + name + " is added twice");
  }
}

template <typename T>
// NOLINTNEXTLINE(performance-unnecessary-value-param): a false alarm, it is moved from.
void ArrayFileWriter::Add(const std::string& name, std::span<const T> values, std::vector<uint64_t> shape) {
  AddEntry(name, TypeOf<T>(), std::move(shape), values.size(),
           std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
}

void ArrayFileWriter::AddTexts(const std::string& name, std::span<const std::string> texts) {
  std::string bytes;
  std::vector<uint64_t> offsets = {0};
  for (const std::string& text : texts) {
    bytes += text;
    offsets.push_back(bytes.size());
  }
  Add(name + ".bytes", std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  Add(name + ".offsets", std::span<const uint64_t>(offsets));
}

std::vector<std::string_view> ArrayFileWriter::Pieces(std::string* head) const {
  // Arrays of wide numbers first: then every array is aligned, as no array ends between two of its numbers.
  std::vector<const std::pair<const std::string, Array>*> order;
  Chain chain;
  chain.AddTexts(texts_);
  for (const auto& item : arrays_) {
    order.push_back(&item);
    chain.AddArray(item.first, item.second.entry, item.second.bytes);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return Info(a->second.entry.type).size > Info(b->second.entry.type).size; });

  JsonObject metadata;
  for (const auto& [name, text] : texts_) metadata[name] = text;
  metadata[kChecksum] = chain.Text();
  JsonObject header;
  header["__metadata__"] = std::move(metadata);
  uint64_t offset = 0;
  for (const auto* item : order) {
    const ArrayEntry& entry = item->second.entry;
    JsonArray shape(entry.shape.begin(), entry.shape.end());
    const uint64_t end = offset + item->second.bytes.size();
    header[item->first] = {{"dtype", Info(entry.type).name}, {"shape", std::move(shape)}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = ToText(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  head->assign(reinterpret_cast<const char*>(&length), sizeof length);
  head->append(text);
  std::vector<std::string_view> pieces{*head};
  for (const auto* item : order) pieces.emplace_back(item->second.bytes);
  return pieces;
}

std::string ArrayFileWriter::Bytes() const {
  std::string head, bytes;
  const std::vector<std::string_view> pieces = Pieces(&head);
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  bytes.reserve(size);
  for (const std::string_view piece : pieces) bytes.append(piece);
  return bytes;
}

void ArrayFileWriter::Save(const std::string& path) const {
  std::string head;
  const std::vector<std::string_view> pieces = Pieces(&head);
  const std::string beside = fmt::format("{}.{}.partial", path, ::getpid());
  const auto fail = [&](int code) {
    ::unlink(beside.c_str());
    SystemFailure("write", path, code);
  };
  {
    const File file(beside, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.is_open()) SystemFailure("write", path, errno);
    for (const std::string_view piece : pieces)
      if (!WriteAll(file.descriptor(), piece)) fail(errno);
    if (::fsync(file.descriptor()) != 0) fail(errno);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) fail(errno);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const File directory(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (directory.is_open()) ::fsync(directory.descriptor());  // the name is durable too, where the file system can
}

std::string ArrayFile::ReadBytes(const std::string& path) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) SystemFailure("read", path, errno);
  struct stat status = {};
  std::string bytes;
  if (::fstat(file.descriptor(), &status) == 0 && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)))
    throw Error(ErrorKind::kDamaged, path + " is a device, not a model file");
  if (::fstat(file.descriptor(), &status) == 0 && S_ISREG(status.st_mode)) bytes.reserve(static_cast<size_t>(status.st_size) + 1);
  for (size_t size = 0;;) {
    bytes.resize(std::max(bytes.capacity(), size + 65536));
    const ssize_t got = ::read(file.descriptor(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) SystemFailure("read", path, errno);
    size += static_cast<size_t>(got);
    if (got == 0) {
      bytes.resize(size);
      return bytes;
    }
  }
}

std::shared_ptr<const ArrayFile> ArrayFile::Load(const std::string& path) { return Parse(ReadBytes(path), path); }

void ArrayFile::Damaged(const std::string& what) const { throw Error(ErrorKind::kDamaged, name_ + " is damaged: " + what); }

std::shared_ptr<const ArrayFile> ArrayFile::Parse(std::string bytes, const std::string& name) {
  const auto file = std::make_shared<ArrayFile>();
  file->name_ = name;
  file->bytes_ = std::move(bytes);
  const std::string_view all = file->bytes_;
  uint64_t length = 0;
  std::memcpy(&length, all.data(), std::min<size_t>(all.size(), sizeof length));
  if (length > kMaxHeader || (all.size() > sizeof length && all[sizeof length] != '{')) {
    throw Error(ErrorKind::kDamaged, name + " is not a model file", "model files are written by everlearn, in the safetensors format");
  }
  if (all.size() < sizeof length || length > all.size() - sizeof length) throw Error(ErrorKind::kDamaged, name + " is truncated");
  try {
    file->ReadHeader(sizeof length + length);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kDamaged && error.message().starts_with(name)) throw;
    file->Damaged(error.message());
  }
  return file;
}

void ArrayFile::ReadHeader(uint64_t data_begin) {
  const std::string_view text = std::string_view(bytes_).substr(sizeof(uint64_t), data_begin - sizeof(uint64_t));
  const Json header = ParseJson(text, "its header");
  if (!header.is_object()) Damaged("its header is not an object");
  if (CountNames(text) != CountMembers(header)) Damaged("a name stands twice in its header");
  for (const auto& member : header.get_object()) {
    if (member.key() != "__metadata__") {
      ReadEntry(std::string(member.key()), member.value(), data_begin);
      continue;
    }
    if (!member.value().is_object()) Damaged("its metadata is not an object");
    for (const auto& [key, value] : member.value().get_object()) {
      if (!value.is_string()) Damaged("its metadata holds more than texts");
      texts_[std::string(key)] = std::string(value.get_string());
    }
  }

  std::vector<std::pair<uint64_t, uint64_t>> spans;  // begin, end
  for (const auto& [name, entry] : entries_) spans.emplace_back(entry.offset, entry.offset + entry.count * Info(entry.type).size);
  std::sort(spans.begin(), spans.end());
  uint64_t end = data_begin;
  for (const auto& span : spans) {
    if (span.first != end) Damaged("its arrays overlap or leave a hole");
    end = span.second;
  }
  if (end > bytes_.size()) throw Error(ErrorKind::kDamaged, name_ + " is truncated");
  if (end < bytes_.size()) Damaged("bytes follow its last array");
}

void ArrayFile::ReadEntry(const std::string& name, const Json& json, uint64_t data_begin) {
  const std::string type = TextField(json, "dtype");
  const auto info = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeInfo& known) { return known.name == type; });
  if (info == kTypes.end()) Damaged("array " + name + " has the unknown type " + type);
  ArrayEntry entry;
  entry.type = static_cast<ArrayType>(info - kTypes.begin());
  for (const Json& size : ArrayField(json, "shape")) entry.shape.push_back(Unsigned(size));
  const JsonArray& offsets = ArrayField(json, "data_offsets");
  if (offsets.size() != 2) Damaged("array " + name + " does not have two offsets");
  const uint64_t begin = Unsigned(offsets[0]), end = Unsigned(offsets[1]);
  uint64_t size = 0;
  if (entry.shape.size() > kMaxDimensions || !Product(entry.shape, &entry.count) ||
      __builtin_mul_overflow(entry.count, info->size, &size) || begin > end || end - begin != size) {
    Damaged("the shape and offsets of array " + name + " do not fit");
  }
  // Nothing may lie past any possible file; the sum below cannot overflow then.
  if (end > (uint64_t{1} << 62)) Damaged("array " + name + " lies outside of it");
  entry.offset = data_begin + begin;
  if (entry.offset % info->size != 0) Damaged("array " + name + " is not aligned");
  entries_.emplace(name, std::move(entry));
}

const std::string& ArrayFile::Text(const std::string& name) const {
  const auto found = texts_.find(name);
  if (found == texts_.end()) Damaged("its metadata has no '" + name + "'");
  return found->second;
}

bool ArrayFile::ChecksumMatches() const {
  const auto written = texts_.find(kChecksum);
  return written != texts_.end() && written->second == Checksum();
}

std::string ArrayFile::Checksum() const {
  Chain chain;
  chain.AddTexts(texts_);
  for (const auto& [name, entry] : entries_) {
    chain.AddArray(name, entry, std::string_view(bytes_).substr(entry.offset, entry.count * Info(entry.type).size));
  }
  return chain.Text();
}

const ArrayEntry& ArrayFile::Find(const std::string& name, ArrayType type) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) Damaged("it has no array '" + name + "'");
  if (found->second.type != type) Damaged("array '" + name + "' is not of type " + std::string(Info(type).name));
  return found->second;
}

template <typename T>
std::span<const T> ArrayFile::Get(const std::string& name) const {
  const ArrayEntry& entry = Find(name, TypeOf<T>());
  return {reinterpret_cast<const T*>(bytes_.data() + entry.offset), entry.count};
}

std::vector<std::string> ArrayFile::GetTexts(const std::string& name) const {
  const std::span<const uint64_t> offsets = Get<uint64_t>(name + ".offsets");
  const std::span<const uint8_t> bytes = Get<uint8_t>(name + ".bytes");
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != bytes.size() || !std::is_sorted(offsets.begin(), offsets.end())) {
    Damaged("the texts '" + name + "' have wrong offsets");
  }
  std::vector<std::string> texts;
  texts.reserve(offsets.size() - 1);
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    texts.emplace_back(reinterpret_cast<const char*>(bytes.data()) + offsets[i], offsets[i + 1] - offsets[i]);
  }
  return texts;
}

template void ArrayFileWriter::Add(const std::string&, std::span<const double>, std::vector<uint64_t>);
template void ArrayFileWriter::Add(const std::string&, std::span<const float>, std::vector<uint64_t>);
template void ArrayFileWriter::Add(const std::string&, std::span<const int64_t>, std::vector<uint64_t>);
template void ArrayFileWriter::Add(const std::string&, std::span<const int32_t>, std::vector<uint64_t>);
template void ArrayFileWriter::Add(const std::string&, std::span<const uint64_t>, std::vector<uint64_t>);
template void ArrayFileWriter::Add(const std::string&, std::span<const uint32_t>, std::vector<uint64_t>);
template void ArrayFileWriter::Add(const std::string&, std::span<const uint16_t>, std::vector<uint64_t>);
template void ArrayFileWriter::Add(const std::string&, std::span<const uint8_t>, std::vector<uint64_t>);
template std::span<const double> ArrayFile::Get(const std::string&) const;
template std::span<const float> ArrayFile::Get(const std::string&) const;
template std::span<const int64_t> ArrayFile::Get(const std::string&) const;
template std::span<const int32_t> ArrayFile::Get(const std::string&) const;
template std::span<const uint64_t> ArrayFile::Get(const std::string&) const;
template std::span<const uint32_t> ArrayFile::Get(const std::string&) const;
template std::span<const uint16_t> ArrayFile::Get(const std::string&) const;
template std::span<const uint8_t> ArrayFile::Get(const std::string&) const;

}  // namespace everlearn
