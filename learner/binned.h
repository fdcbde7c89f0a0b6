// Feature values as small codes: quantile bins of numbers, dictionary codes of categories; column after column, read-only.
//
// Immutable after construction, shared by threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/model.h"

namespace everlearn {

struct BinnedColumn {
  bool is_category = false;
  // Numbers: bin b holds values in (upper[b-1], upper[b]]; the last upper is +infinity. Between two bins the bound is the midpoint of the
  // neighbouring distinct values, so that a threshold on codes is a threshold on raw values.
  std::vector<double> upper;
  uint32_t bins = 0;                // codes 0 … bins-1; the code `bins` is missing
  std::span<const uint8_t> codes8;  // one of the two, by bins <= 255
  std::span<const uint16_t> codes16;
  uint32_t code(size_t row) const { return codes8.empty() ? codes16[row] : codes8[row]; }
};

struct BinnedTable {
  size_t rows = 0;
  std::vector<BinnedColumn> columns;
  std::shared_ptr<const void> memory;  // that the codes are in
};

// Bins of at most `max_bins` (>= 2; one of them for missing values, where there are any) for numbers: one bin a distinct value where they
// are few, else of about equal weight. Fitted on the first `fit_rows` rows (0: all), applied to all.
BinnedTable BinRows(const RowsView& rows, const std::vector<bool>& is_category, const std::vector<size_t>& dictionary_sizes,
                    size_t fit_rows, uint32_t max_bins = 255);

}  // namespace everlearn
