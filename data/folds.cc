#include "data/folds.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <unordered_set>

#include "base/error.h"
#include "base/random.h"

namespace everlearn {
namespace {

void CheckCount(size_t rows, int count) {
  if (count >= 2 && static_cast<size_t>(count) <= rows) return;
  throw Error(ErrorKind::kUsage, std::to_string(count) + " folds of " + std::to_string(rows) + " rows are not possible",
              "the number of folds is from 2 to the number of rows");
}

// Folds from the number of the validation part of each row.
std::vector<Fold> FoldsFromParts(const std::vector<int>& part, int count) {
  std::vector<Fold> folds(static_cast<size_t>(count));
  for (size_t row = 0; row < part.size(); ++row)
    for (int k = 0; k < count; ++k) {
      Fold& fold = folds[static_cast<size_t>(k)];
      (part[row] == k ? fold.validation : fold.train).push_back(static_cast<uint32_t>(row));
    }
  return folds;
}

// The first row from `row` on whose time is not that of the row before it.
size_t NextTime(std::span<const double> times, size_t row) {
  while (row > 0 && row < times.size() && times[row] == times[row - 1]) ++row;
  return row;
}

void RemoveGroups(std::span<const int32_t> groups, Fold* fold) {
  if (groups.empty()) return;
  std::unordered_set<int32_t> held;
  for (const uint32_t row : fold->validation) held.insert(groups[row]);
  std::erase_if(fold->train, [&](uint32_t row) { return held.count(groups[row]) > 0; });
}

}  // namespace

std::vector<Fold> RandomFolds(size_t rows, int count, uint64_t seed) {
  const std::vector<double> one_class(rows, 0.0);
  return StratifiedFolds(one_class, count, seed);
}

std::vector<Fold> StratifiedFolds(std::span<const double> classes, int count, uint64_t seed) {
  CheckCount(classes.size(), count);
  std::vector<uint32_t> order(classes.size());
  std::iota(order.begin(), order.end(), 0U);
  Random random(seed);
  random.Shuffle(std::span<uint32_t>(order));
  // Missing classes stand together at the end.
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return std::isnan(classes[b]) ? !std::isnan(classes[a]) : classes[a] < classes[b]; });
  // Dealt out like cards, class after class: the parts differ by at most one row of each class, and of all.
  std::vector<int> part(classes.size());
  for (size_t i = 0; i < order.size(); ++i) part[order[i]] = static_cast<int>(i % static_cast<size_t>(count));
  return FoldsFromParts(part, count);
}

std::vector<Fold> GroupedFolds(std::span<const int32_t> groups, int count, uint64_t seed) {
  CheckCount(groups.size(), count);
  // Rows of each group; a row without a group is one of its own.
  std::vector<std::vector<uint32_t>> members;
  std::vector<size_t> index;
  for (size_t row = 0; row < groups.size(); ++row) {
    const int32_t group = groups[row];
    if (group < 0) {
      members.push_back({static_cast<uint32_t>(row)});
      continue;
    }
    const auto at = static_cast<size_t>(group);
    if (at >= index.size()) index.resize(at + 1, SIZE_MAX);
    if (index[at] == SIZE_MAX) {
      index[at] = members.size();
      members.emplace_back();
    }
    members[index[at]].push_back(static_cast<uint32_t>(row));
  }
  if (members.size() < static_cast<size_t>(count))
    throw Error(ErrorKind::kInput, std::to_string(count) + " folds need as many groups, and there are " + std::to_string(members.size()));

  Random random(seed);
  random.Shuffle(std::span<std::vector<uint32_t>>(members));
  std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::vector<size_t> size(static_cast<size_t>(count), 0);
  std::vector<int> part(groups.size());
  for (const auto& rows : members) {
    const auto smallest = std::min_element(size.begin(), size.end());
    *smallest += rows.size();
    for (const uint32_t row : rows) part[row] = static_cast<int>(smallest - size.begin());
  }
  return FoldsFromParts(part, count);
}

std::vector<Fold> SequentialFolds(size_t rows, const SequentialOptions& options) {
  CheckCount(rows, options.count);
  if (!(options.first_train >= 0 && options.first_train < 1))
    throw Error(ErrorKind::kUsage, "the share of rows before the first validation part must be at least 0 and below 1");
  const auto count = static_cast<size_t>(options.count);
  const size_t start = options.first_train > 0 ? static_cast<size_t>(options.first_train * static_cast<double>(rows)) : rows / (count + 1);
  if (start <= options.gap || rows - start < count)
    throw Error(ErrorKind::kUsage, std::to_string(rows) + " rows are too few for " + std::to_string(count) + " sequential folds with " +
                                       std::to_string(start) + " rows before the first and a gap of " + std::to_string(options.gap));
  std::vector<Fold> folds;
  for (size_t k = 0; k < count; ++k) {
    const size_t begin = NextTime(options.times, start + (rows - start) * k / count);
    const size_t end = NextTime(options.times, start + (rows - start) * (k + 1) / count);
    if (begin == end) continue;
    const size_t train_end = begin - options.gap;
    const size_t train_begin = options.train_rows > 0 && options.train_rows < train_end ? train_end - options.train_rows : 0;
    Fold fold;
    fold.train.resize(train_end - train_begin);
    std::iota(fold.train.begin(), fold.train.end(), static_cast<uint32_t>(train_begin));
    fold.validation.resize(end - begin);
    std::iota(fold.validation.begin(), fold.validation.end(), static_cast<uint32_t>(begin));
    RemoveGroups(options.groups, &fold);
    if (!fold.train.empty()) folds.push_back(std::move(fold));
  }
  return folds;
}

}  // namespace everlearn
