// What the checks of a fit look at, and what they say: encoded columns, target, findings. Plain data.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace everlearn {

// One encoded column, or one of several numbers that a column of the source became.
struct GuardColumn {
  std::string name = {};           // of the source's column
  const double* values = nullptr;  // of row i: values[i * stride]; NaN is missing; categories as codes from 0 on
  size_t stride = 1;
  bool is_category = false;
  bool is_time = false;  // a point in time, as a number that grows with it
  bool used = true;      // a feature; false: left out, as ids are
  bool is_part = false;  // a number of several that a text became
  double At(size_t row) const { return values[row * stride]; }
};

struct GuardInput {
  std::vector<GuardColumn> columns = {};
  size_t rows = 0;
  std::span<const double> target = {};  // class index or value, no NaN
  size_t classes = 0;                   // 0: regression
  bool time_ordered = false;            // rows are in order of time, and validated in it
  bool grouped = false;                 // folds keep groups together
  // Rows that the model is to be tested on, if they are known: the same columns in the same order.
  std::vector<GuardColumn> test_columns = {};
  size_t test_rows = 0;
};

struct GuardFinding {
  // "leak": the column tells the target in a way that it will not when it matters. "id", "duplicates", "groups", "time_order": the
  // estimate, or the model, is worse than it looks. "test_in_train": so is the test.
  std::string code;
  std::string column;  // empty where it is about rows
  std::string message;
};

}  // namespace everlearn
