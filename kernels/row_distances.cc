#include "kernels/row_distances.h"

#include <algorithm>

#include "base/widest_vectors.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 1024;  // their distances stay in the first cache

// Four columns a pass: the distances are loaded and stored a quarter as often.
void AddColumns(const float* __restrict columns, size_t stride, size_t rows, size_t count, const float* __restrict x,
                float* __restrict out) {
  size_t c = 0;
  for (; c + 4 <= count; c += 4) {
    const float *a = columns + c * stride, *b = a + stride, *d = b + stride, *e = d + stride;
    const float xa = x[c], xb = x[c + 1], xd = x[c + 2], xe = x[c + 3];
    for (size_t i = 0; i < rows; ++i) {
      float sum = out[i] + (xa - a[i]) * (xa - a[i]);
      sum += (xb - b[i]) * (xb - b[i]);
      sum += (xd - d[i]) * (xd - d[i]);
      out[i] = sum + (xe - e[i]) * (xe - e[i]);
    }
  }
  for (; c < count; ++c) {
    const float* a = columns + c * stride;
    const float xa = x[c];
    for (size_t i = 0; i < rows; ++i) out[i] += (xa - a[i]) * (xa - a[i]);
  }
}

void AddCategories(const uint16_t* __restrict columns, size_t stride, size_t rows, size_t count, const uint32_t* __restrict codes,
                   const float* __restrict apart, float* __restrict out) {
  for (size_t c = 0; c < count; ++c) {
    const uint16_t* stored = columns + c * stride;
    const uint32_t code = codes[c];
    const float more = apart[c];
    for (size_t i = 0; i < rows; ++i) out[i] += stored[i] == code ? 0.0f : more;
  }
}

}  // namespace

void SquaredDistances(const StoredRows& stored, const float* coordinates, const uint32_t* codes, const float* apart, float* out) {
  for (size_t first = 0; first < stored.rows; first += kBlockRows) {
    const size_t rows = std::min(kBlockRows, stored.rows - first);
    std::fill_n(out + first, rows, 0.0f);
    RunWithWidestVectors<AddColumns>(stored.coordinates + first, stored.stride, rows, stored.columns, coordinates, out + first);
    if (stored.categories == 0) continue;
    RunWithWidestVectors<AddCategories>(stored.codes + first, stored.stride, rows, stored.categories, codes, apart, out + first);
  }
}

}  // namespace everlearn
