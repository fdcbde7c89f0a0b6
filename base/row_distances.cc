#include "base/row_distances.h"

#include <algorithm>

#include "base/widest_vectors.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 1024;  // their distances stay in the first cache

// Adds what each column says of each row, four columns a pass: the distances are loaded and stored a quarter as often. `term(c)` is a
// function of what column c stores.
template <typename Stored, typename Term>
void AddTerms(const Stored* __restrict columns, size_t stride, size_t rows, size_t count, const Term& term, float* __restrict out) {
  size_t c = 0;
  for (; c + 4 <= count; c += 4) {
    const Stored *a = columns + c * stride, *b = a + stride, *d = b + stride, *e = d + stride;
    const auto of_a = term(c), of_b = term(c + 1), of_d = term(c + 2), of_e = term(c + 3);
    for (size_t i = 0; i < rows; ++i) out[i] = out[i] + of_a(a[i]) + of_b(b[i]) + of_d(d[i]) + of_e(e[i]);
  }
  for (; c < count; ++c) {
    const Stored* a = columns + c * stride;
    const auto of_a = term(c);
    for (size_t i = 0; i < rows; ++i) out[i] += of_a(a[i]);
  }
}

void AddColumns(const float* columns, size_t stride, size_t rows, size_t count, const float* x, float* out) {
  AddTerms(
      columns, stride, rows, count, [x](size_t c) { return [at = x[c]](float stored) { return (at - stored) * (at - stored); }; }, out);
}

void AddCategories(const uint16_t* columns, size_t stride, size_t rows, size_t count, const uint32_t* codes, const float* apart,
                   float* out) {
  const auto term = [codes, apart](size_t c) {
    return [code = codes[c], more = apart[c]](uint16_t stored) { return stored == code ? 0.0f : more; };
  };
  AddTerms(columns, stride, rows, count, term, out);
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
