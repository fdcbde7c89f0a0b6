// Numbers first, then arrays, each at a multiple of eight bytes.
#include "learner/dataset_block.h"

#include <array>
#include <limits>

namespace everlearn {
namespace {

constexpr size_t kAlignment = 8;

class Writer {
 public:
  explicit Writer(MemoryFile* file) : file_(file) {}

  template <typename T>
  void Put(std::span<const T> values) {
    file_->Append(values.data(), values.size_bytes());
    constexpr std::array<char, kAlignment> kZeros{};
    file_->Append(kZeros.data(), (kAlignment - values.size_bytes() % kAlignment) % kAlignment);
  }
  void PutNumber(uint64_t value) { Put(std::span<const uint64_t>(&value, 1)); }

 private:
  MemoryFile* file_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()) {}

  template <typename T>
  std::span<const T> Get(size_t count) {
    const std::span<const T> values(reinterpret_cast<const T*>(at_), count);
    at_ += (values.size_bytes() + kAlignment - 1) / kAlignment * kAlignment;
    return values;
  }
  uint64_t GetNumber() { return Get<uint64_t>(1)[0]; }

 private:
  const char* at_;
};

}  // namespace

void WriteDataset(const Dataset& data, MemoryFile* file) {
  Writer writer(file);
  writer.PutNumber(data.rows());
  writer.PutNumber(data.features());
  writer.PutNumber(data.classes());
  writer.PutNumber(data.has_weights() ? 1 : 0);
  writer.Put(std::span<const double>(data.view().values, data.rows() * data.features()));
  writer.Put(data.target());
  writer.Put(data.weights());
  const BinnedTable& binned = data.binned();
  for (size_t j = 0; j < data.features(); ++j) {
    const BinnedColumn& column = binned.columns[j];
    writer.PutNumber(data.is_category(j) ? 1 : 0);
    writer.PutNumber(data.dictionary_size(j));
    writer.PutNumber(column.bins);
    writer.PutNumber(column.upper.size());
    writer.Put(std::span<const double>(column.upper));
    writer.Put(column.codes8);
    writer.Put(column.codes16);
  }
}

std::unique_ptr<Dataset> MapDataset(std::shared_ptr<const Mapping> mapping) {
  Reader reader(mapping->bytes());
  const size_t rows = reader.GetNumber(), features = reader.GetNumber(), classes = reader.GetNumber();
  const bool weighted = reader.GetNumber() != 0;
  Dataset::Arrays arrays;
  arrays.values = reader.Get<double>(rows * features);
  arrays.target = reader.Get<double>(rows);
  arrays.weights = reader.Get<double>(weighted ? rows : 0);
  arrays.memory = mapping;
  BinnedTable binned;
  binned.rows = rows;
  binned.memory = mapping;
  std::vector<bool> is_category;
  std::vector<size_t> dictionary_sizes;
  for (size_t j = 0; j < features; ++j) {
    BinnedColumn column;
    column.is_category = reader.GetNumber() != 0;
    is_category.push_back(column.is_category);
    dictionary_sizes.push_back(reader.GetNumber());
    column.bins = static_cast<uint32_t>(reader.GetNumber());
    const auto upper = reader.Get<double>(reader.GetNumber());
    column.upper.assign(upper.begin(), upper.end());
    const bool narrow = column.bins <= std::numeric_limits<uint8_t>::max();
    column.codes8 = reader.Get<uint8_t>(narrow ? rows : 0);
    column.codes16 = reader.Get<uint16_t>(narrow ? 0 : rows);
    binned.columns.push_back(std::move(column));
  }
  return std::make_unique<Dataset>(std::move(is_category), std::move(dictionary_sizes), std::move(arrays), std::move(binned), classes);
}

}  // namespace everlearn
