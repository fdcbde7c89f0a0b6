// Splits of row numbers for validation: random, stratified, grouped and sequential.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace everlearn {

struct Fold {
  std::vector<uint32_t> train, validation;  // ascending row numbers
};

// Every row is in exactly one validation part; parts differ by at most one row. Throws kUsage when count < 2 or count > rows.
std::vector<Fold> RandomFolds(size_t rows, int count, uint64_t seed);

// As RandomFolds, and each class is spread evenly (parts differ by at most one row of a class).
std::vector<Fold> StratifiedFolds(std::span<const double> classes, int count, uint64_t seed);

// No group is in train and validation of one fold; parts are balanced greedily by size. A row whose group is missing (negative) is a
// group of its own. Throws kUsage as RandomFolds, kInput when there are fewer groups than folds.
std::vector<Fold> GroupedFolds(std::span<const int32_t> groups, int count, uint64_t seed);

struct SequentialOptions {
  int count = 5;
  size_t gap = 0;          // rows left out between train and validation
  size_t train_rows = 0;   // sliding window of this size; 0: expanding from the first row
  double first_train = 0;  // share of rows before the first validation part; 0: 1 / (count + 1)
  // Of the rows, ascending, or none: rows of one time stay together, in the part that begins before them. Where they fill a part, there are
  // fewer; none where all have one time.
  std::span<const double> times = {};
  // Of the rows, or none: rows of the groups that are in the validation part are not in train. Folds without train are left out.
  std::span<const int32_t> groups = {};
};
// Rows are in order of time; validation parts follow each other, and train lies wholly before. Throws kUsage when a part would be empty.
std::vector<Fold> SequentialFolds(size_t rows, const SequentialOptions& options);

}  // namespace everlearn
