#include "base/matrix_product.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/widest_vectors.h"

namespace everlearn {
namespace {

constexpr size_t kPanel = 32;      // columns of a panel: two vectors of AVX-512
constexpr size_t kHalfPanel = 16;  // the width of a last panel with no more columns
constexpr size_t kDepth = 256;     // of a block of AddTransposedProduct: its panel fits the first cache

// A tile of the result: rows × one panel, start + left · panel. Element (m, k) of the left factor is left[m * row + k * depth_step].
struct Tile {
  size_t depth;
  const float* left;
  size_t row, depth_step;
  const float* panel;
  size_t panel_width;  // kPanel or kHalfPanel
  const float* start;  // rows start_stride apart (0: all the same)
  size_t start_stride;
  float* out;
  size_t out_stride;
};

template <size_t kRows, size_t kVectors>
[[gnu::target("avx512f")]] void RunAvx512(const Tile& t) {
  __m512 sum[kRows][kVectors];
  for (size_t m = 0; m < kRows; ++m)
    for (size_t v = 0; v < kVectors; ++v) sum[m][v] = _mm512_loadu_ps(t.start + m * t.start_stride + 16 * v);
  const float* left = t.left;
  const float* panel = t.panel;
  for (size_t k = 0; k < t.depth; ++k, left += t.depth_step, panel += 16 * kVectors) {
    __m512 right[kVectors];
    for (size_t v = 0; v < kVectors; ++v) right[v] = _mm512_loadu_ps(panel + 16 * v);
    for (size_t m = 0; m < kRows; ++m) {
      const __m512 x = _mm512_set1_ps(left[m * t.row]);
      for (size_t v = 0; v < kVectors; ++v) sum[m][v] = _mm512_fmadd_ps(x, right[v], sum[m][v]);
    }
  }
  for (size_t m = 0; m < kRows; ++m)
    for (size_t v = 0; v < kVectors; ++v) _mm512_storeu_ps(t.out + m * t.out_stride + 16 * v, sum[m][v]);
}

// Half a panel at a time.
template <size_t kRows>
[[gnu::target("avx2,fma")]] void RunAvx2(const Tile& t) {
  for (size_t first = 0; first < t.panel_width; first += kHalfPanel) {
    __m256 sum[kRows][2];
    for (size_t m = 0; m < kRows; ++m)
      for (size_t v = 0; v < 2; ++v) sum[m][v] = _mm256_loadu_ps(t.start + m * t.start_stride + first + 8 * v);
    const float* left = t.left;
    const float* panel = t.panel + first;
    for (size_t k = 0; k < t.depth; ++k, left += t.depth_step, panel += t.panel_width) {
      const __m256 a = _mm256_loadu_ps(panel), b = _mm256_loadu_ps(panel + 8);
      for (size_t m = 0; m < kRows; ++m) {
        const __m256 x = _mm256_broadcast_ss(left + m * t.row);
        sum[m][0] = _mm256_fmadd_ps(x, a, sum[m][0]);
        sum[m][1] = _mm256_fmadd_ps(x, b, sum[m][1]);
      }
    }
    for (size_t m = 0; m < kRows; ++m)
      for (size_t v = 0; v < 2; ++v) _mm256_storeu_ps(t.out + m * t.out_stride + first + 8 * v, sum[m][v]);
  }
}

template <size_t kRows>
void RunBaseline(const Tile& t) {
  for (size_t m = 0; m < kRows; ++m) {
    float sum[kPanel];
    std::copy_n(t.start + m * t.start_stride, t.panel_width, sum);
    for (size_t k = 0; k < t.depth; ++k) {
      const float x = t.left[m * t.row + k * t.depth_step];
      const float* panel = t.panel + k * t.panel_width;
      for (size_t n = 0; n < t.panel_width; ++n) sum[n] += x * panel[n];
    }
    std::copy_n(sum, t.panel_width, t.out + m * t.out_stride);
  }
}

using TileFunction = void (*)(const Tile&);

// One function for each number of rows up to the largest tile, in two widths.
struct Kernel {
  size_t most_rows;
  std::array<TileFunction, 12> wide, narrow;
};

template <size_t... kIndex>
Kernel MakeKernel(std::index_sequence<kIndex...>) {
  Kernel kernel{12, {}, {}};
  switch (WidestVectors()) {
    case VectorLevel::kAvx512:
      kernel.wide = {RunAvx512<kIndex + 1, 2>...};
      kernel.narrow = {RunAvx512<kIndex + 1, 1>...};
      break;
    case VectorLevel::kAvx2:
      kernel.most_rows = 6;  // twelve sums, two vectors of the panel and one of the left factor fill the sixteen registers
      kernel.wide = kernel.narrow = {RunAvx2<std::min<size_t>(kIndex + 1, 6)>...};
      break;
    case VectorLevel::kBaseline:
      kernel.wide = kernel.narrow = {RunBaseline<kIndex + 1>...};
      break;
  }
  return kernel;
}

const Kernel& TheKernel() {
  static const Kernel kernel = MakeKernel(std::make_index_sequence<12>());
  return kernel;
}

size_t WidthOfPanel(size_t columns_left) { return columns_left <= kHalfPanel ? kHalfPanel : kPanel; }

// All rows of one panel; `columns` of it are written.
void RunPanel(Tile tile, size_t rows, size_t columns) {
  const Kernel& kernel = TheKernel();
  const auto& functions = tile.panel_width == kPanel ? kernel.wide : kernel.narrow;
  alignas(64) float edge[12 * kPanel] = {};
  while (rows > 0) {
    // Two tiles of about the same height end the rows better than a full one and a rest of one row.
    const size_t height = rows >= 2 * kernel.most_rows || rows <= kernel.most_rows ? std::min(rows, kernel.most_rows) : (rows + 1) / 2;
    if (columns == tile.panel_width) {
      functions[height - 1](tile);
    } else {
      Tile inside = tile;
      for (size_t m = 0; m < height; ++m) std::copy_n(tile.start + m * tile.start_stride, columns, edge + m * kPanel);
      inside.start = inside.out = edge;
      inside.start_stride = inside.out_stride = kPanel;
      functions[height - 1](inside);
      for (size_t m = 0; m < height; ++m) std::copy_n(edge + m * kPanel, columns, tile.out + m * tile.out_stride);
    }
    tile.left += height * tile.row;
    tile.start += height * tile.start_stride;
    tile.out += height * tile.out_stride;
    rows -= height;
  }
}

void PackPanel(const float* values, size_t rows, size_t columns, size_t row_stride, size_t column_stride, size_t width, float* out) {
  if (columns == kPanel && column_stride == 1) {
    for (size_t i = 0; i < rows; ++i, out += kPanel) std::copy_n(values + i * row_stride, kPanel, out);
    return;
  }
  for (size_t i = 0; i < rows; ++i, out += width) {
    for (size_t j = 0; j < columns; ++j) out[j] = values[i * row_stride + j * column_stride];
    std::fill(out + columns, out + width, 0.0f);
  }
}

constexpr std::array<float, kPanel> kZeros = {};

}  // namespace

void PackedMatrix::Pack(const float* values, size_t rows, size_t columns, size_t row_stride, size_t column_stride) {
  rows_ = rows;
  columns_ = columns;
  values_.resize((columns + kPanel) / kPanel * kPanel * rows);
  for (size_t j = 0; j < columns; j += kPanel)
    PackPanel(values + j * column_stride, rows, std::min(kPanel, columns - j), row_stride, column_stride, WidthOfPanel(columns - j),
              values_.data() + j * rows);
}

void Multiply(const float* left, size_t rows, size_t left_stride, const PackedMatrix& right, const float* bias, float* out,
              size_t out_stride) {
  // A block of rows stays in the second cache while all panels pass.
  const size_t block = std::max<size_t>(24, 65'536 / std::max<size_t>(1, right.rows()) / 12 * 12);
  for (size_t i = 0; i < rows; i += block) {
    for (size_t j = 0; j < right.columns(); j += kPanel) {
      const size_t columns_left = right.columns() - j;
      const float* start = bias == nullptr ? kZeros.data() : bias + j;
      RunPanel({right.rows(), left + i * left_stride, left_stride, 1, right.panel(j), WidthOfPanel(columns_left), start, 0,
                out + i * out_stride + j, out_stride},
               std::min(block, rows - i), std::min(columns_left, kPanel));
    }
  }
}

void AddTransposedProduct(const float* left, size_t depth, size_t left_columns, size_t left_stride, const float* right,
                          size_t right_columns, size_t right_stride, float* out, size_t out_stride) {
  alignas(64) float panel[kDepth * kPanel];
  for (size_t j = 0; j < right_columns; j += kPanel) {
    const size_t columns = std::min(kPanel, right_columns - j), width = WidthOfPanel(right_columns - j);
    for (size_t k = 0; k < depth; k += kDepth) {
      const size_t block = std::min(kDepth, depth - k);
      PackPanel(right + k * right_stride + j, block, columns, right_stride, 1, width, panel);
      RunPanel({block, left + k * left_stride, 1, left_stride, panel, width, out + j, out_stride, out + j, out_stride}, left_columns,
               columns);
    }
  }
}

}  // namespace everlearn
