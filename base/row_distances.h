// Squared Euclidean distances of one row to many stored ones, whose coordinates stand column after column.
//
// Pure function over the caller's arrays, with the widest vectors of the machine and the same results on every machine: each distance is
// summed coordinate after coordinate, then category after category, in single precision.
#pragma once

#include <cstddef>
#include <cstdint>

namespace everlearn {

// Column c begins at coordinates + c × stride or codes + c × stride; `rows` rows of it are read.
struct StoredRows {
  const float* coordinates;
  const uint16_t* codes;
  size_t stride, rows, columns, categories;
};

// apart: what a category that differs adds, one a category. out: one number a row.
void SquaredDistances(const StoredRows& stored, const float* coordinates, const uint32_t* codes, const float* apart, float* out);

}  // namespace everlearn
