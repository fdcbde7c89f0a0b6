// Rows that stand more than once. Where values are few, rows are equal by chance, and will be in future: then many more pairs differ in one
// column than in none. Copies have no such neighbours.
#include "guard/duplicate_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kShare = 0.01;                 // of rows that have a copy, at least
constexpr double kOverNeighbours = 1;           // copies for one row that another differs from in one column
constexpr size_t kMostGroups = 100'000;         // of equal rows that are counted
constexpr double kErrors = 5;                   // standard errors that more test rows than chance explains are in training
constexpr size_t kBlock = 256;                  // rows
constexpr size_t kMostGroupsOfAll = 1'000'000;  // of neighbours, over all columns

uint64_t ValueHash(double value, size_t column) {
  if (std::isnan(value)) value = 0.1234567;
  if (value == 0) value = 0;  // not -0
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return MixBits(bits + 0x9e3779b97f4a7c15ULL * (column + 1));
}

// Sums of the hashes of a row's values: without one column by subtraction.
std::vector<uint64_t> RowHashes(const std::vector<GuardColumn>& columns, size_t rows) {
  std::vector<uint64_t> hashes(rows, 0);
  // Block by block: what lies row by row in memory is read once.
  for (size_t begin = 0; begin < rows; begin += kBlock)
    for (size_t j = 0; j < columns.size(); ++j)
      if (columns[j].used)
        for (size_t i = begin; i < std::min(rows, begin + kBlock); ++i) hashes[i] += ValueHash(columns[j].At(i), j);
  return hashes;
}

// Groups of rows by a hash: all of them where they are few, else every second, fourth, … hash, with all rows of it.
template <typename Group>
class SampledGroups {
 public:
  explicit SampledGroups(size_t most) : most_(most) {}
  // The hash's group; null where it is not in the sample.
  Group* Find(uint64_t hash) {
    if ((MixBits(hash) & mask_) != 0) return nullptr;
    Group& group = groups_[hash];
    if (groups_.size() <= most_) return &group;
    mask_ = 2 * mask_ + 1;
    std::erase_if(groups_, [&](const auto& entry) { return (MixBits(entry.first) & mask_) != 0; });
    return Find(hash);
  }
  const std::unordered_map<uint64_t, Group>& groups() const { return groups_; }

 private:
  size_t most_;
  uint64_t mask_ = 0;
  std::unordered_map<uint64_t, Group> groups_;
};

// The share of the rows whose hash another row has.
double ShareWithTwin(const std::vector<uint64_t>& hashes) {
  SampledGroups<uint32_t> sample(kMostGroups);
  for (const uint64_t hash : hashes)
    if (uint32_t* count = sample.Find(hash)) ++*count;
  double counted = 0, twins = 0;
  for (const auto& [hash, count] : sample.groups()) {
    counted += count;
    twins += count > 1 ? count : 0;
  }
  return twins / std::max(1.0, counted);
}

// The share of the rows beside which another differs in this column and no other.
double ShareWithNeighbour(const GuardColumn& column, size_t number, const std::vector<uint64_t>& whole, size_t most_groups) {
  struct Alike {
    uint64_t first = 0;
    uint32_t rows = 0;
    bool differ = false;
  };
  SampledGroups<Alike> sample(most_groups);
  for (size_t i = 0; i < whole.size(); ++i) {
    Alike* alike = sample.Find(whole[i] - ValueHash(column.At(i), number));
    if (alike == nullptr) continue;
    if (alike->rows++ == 0) alike->first = whole[i];
    alike->differ = alike->differ || alike->first != whole[i];
  }
  double counted = 0, neighbours = 0;
  for (const auto& [hash, alike] : sample.groups()) {
    counted += alike.rows;
    neighbours += alike.differ ? alike.rows : 0;
  }
  return neighbours / std::max(1.0, counted);
}

}  // namespace

std::vector<GuardFinding> FindDuplicateRows(const GuardInput& input) {
  std::vector<GuardFinding> findings;
  const size_t columns =
      static_cast<size_t>(std::count_if(input.columns.begin(), input.columns.end(), [](const auto& c) { return c.used; }));
  if (columns == 0) return findings;
  // With the target as one column more: a copy has the same.
  std::vector<uint64_t> whole = RowHashes(input.columns, input.rows);
  for (size_t i = 0; i < input.rows; ++i) whole[i] += ValueHash(input.target[i], input.columns.size());
  const double twins = ShareWithTwin(whole);
  if (twins >= kShare) {
    const size_t most_groups = std::max<size_t>(1000, kMostGroupsOfAll / columns);
    double neighbours = 0;
    for (size_t j = 0; j < input.columns.size(); ++j)
      if (input.columns[j].used) neighbours += ShareWithNeighbour(input.columns[j], j, whole, most_groups);
    if (twins >= kOverNeighbours * neighbours)
      findings.push_back(
          {"duplicates", "",
           fmt::format("{:.1f}% of the rows stand more than once, target included (and only {:.1f}% have another that "
                       "differs in one column, so this is no chance): folds share them; remove the copies, or name what they "
                       "have in common with --group",
                       100 * twins, 100 * neighbours)});
  }
  return findings;
}

std::vector<GuardFinding> FindTestRowsInTrain(const GuardInput& input) {
  std::vector<GuardFinding> findings;
  if (input.test_rows == 0) return findings;
  const std::vector<uint64_t> hashes = RowHashes(input.columns, input.rows);
  const std::unordered_set<uint64_t> seen(hashes.begin(), hashes.end());
  double shared = 0;
  for (const uint64_t hash : RowHashes(input.test_columns, input.test_rows)) shared += static_cast<double>(seen.count(hash));
  const double test = static_cast<double>(input.test_rows), natural = ShareWithTwin(hashes);
  // As many would be in it by chance as training rows are twice.
  const double excess = shared - natural * test;
  if (shared >= 2 && excess >= kShare * test && excess > kErrors * std::sqrt(natural * (1 - natural) * test))
    findings.push_back({"test_in_train", "",
                        fmt::format("{:.1f}% of the test rows are training rows ({:.1f}% of the training rows are in it twice): the test "
                                    "measures what was learnt by heart; take them out of one of the two",
                                    100 * shared / test, 100 * natural)});
  return findings;
}

}  // namespace everlearn
