// The rows of a fit with further features behind their own, as a data set for another learner.
//
// Pure function.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "learner/learner.h"

namespace everlearn {

struct ExtendedRows {
  std::unique_ptr<Dataset> data;               // the training rows, then the validation rows
  std::vector<uint32_t> training, validation;  // of it
};

// Calls append(i, row, out) for the i-th of the training rows and then of the validation rows, `row` its place in the data set; it writes
// `added` numbers.
ExtendedRows ExtendRows(const TrainingRows& training, std::span<const uint32_t> validation, size_t added,
                        const std::function<void(size_t i, uint32_t row, double* out)>& append);

}  // namespace everlearn
