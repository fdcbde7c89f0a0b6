#include "base/row_distances.h"

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

// Four columns a pass, as above.
void AddCategories(const uint16_t* __restrict columns, size_t stride, size_t rows, size_t count, const uint32_t* __restrict codes,
                   const float* __restrict apart, float* __restrict out) {
  size_t c = 0;
  for (; c + 4 <= count; c += 4) {
    const uint16_t *a = columns + c * stride, *b = a + stride, *d = b + stride, *e = d + stride;
    const uint32_t code_a = codes[c], code_b = codes[c + 1], code_d = codes[c + 2], code_e = codes[c + 3];
    const float more_a = apart[c], more_b = apart[c + 1], more_d = apart[c + 2], more_e = apart[c + 3];
    for (size_t i = 0; i < rows; ++i) {
      float sum = out[i] + (a[i] == code_a ? 0.0f : more_a);
      sum += b[i] == code_b ? 0.0f : more_b;
      sum += d[i] == code_d ? 0.0f : more_d;
      out[i] = sum + (e[i] == code_e ? 0.0f : more_e);
    }
  }
  for (; c < count; ++c) {
    const uint16_t* a = columns + c * stride;
    const uint32_t code = codes[c];
    const float more = apart[c];
    for (size_t i = 0; i < rows; ++i) out[i] += a[i] == code ? 0.0f : more;
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
