// Products of small dense matrices of floats on one thread: a tile of the result is kept in vector registers while both factors stream by
// (Goto & van de Geijn, Anatomy of high-performance matrix multiplication, 2008).
//
// Every element is one sum in the order of the shared dimension, whatever the number of rows: a row of a product does not depend on which
// rows stand beside it, bit for bit. With AVX2 and AVX-512 each step is a fused multiply-add; older machines round twice. Functions are
// pure; a packed matrix is read-only after Pack.
#pragma once

#include <cstddef>
#include <vector>

namespace everlearn {

// The right factor, laid out in panels of columns.
class PackedMatrix {
 public:
  // Element (i, j) is values[i * row_stride + j * column_stride], so that a transpose is packed by swapping the strides. Allocates only
  // where it grows.
  void Pack(const float* values, size_t rows, size_t columns, size_t row_stride, size_t column_stride);
  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  const float* panel(size_t first_column) const { return values_.data() + first_column * rows_; }

 private:
  size_t rows_ = 0, columns_ = 0;
  std::vector<float> values_;
};

// out = left · right + bias. `left`: rows × right.rows(), rows `left_stride` apart; `out`: rows × right.columns(), rows `out_stride` apart;
// `bias`: one a column, or null for 0. `out` must not overlap the others.
void Multiply(const float* left, size_t rows, size_t left_stride, const PackedMatrix& right, const float* bias, float* out,
              size_t out_stride);

// out += transpose(left) · right. `left`: depth × left_columns, `right`: depth × right_columns, `out`: left_columns × right_columns, each
// with its stride between rows.
void AddTransposedProduct(const float* left, size_t depth, size_t left_columns, size_t left_stride, const float* right,
                          size_t right_columns, size_t right_stride, float* out, size_t out_stride);

}  // namespace everlearn
