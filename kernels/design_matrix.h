// The design matrix of a linear model: dense columns of numbers beside one-hot columns kept as codes, so that a category with many
// thousand levels costs four bytes a row.
//
// Filled by one thread, then read-only and safe to share. Products do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace everlearn {

class DesignMatrix {
 public:
  explicit DesignMatrix(size_t rows) : rows_(rows) {}

  // One column of numbers; finite, one a row (assert).
  void AddNumbers(std::vector<double> values);
  // `levels` columns of zeros and ones: codes[i] is the level that row i belongs to, -1 for none. One a row (assert).
  void AddLevels(std::vector<int32_t> codes, size_t levels);
  // Lists the rows of each level, without which the functions of a single column cannot be called.
  void IndexLevels();

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }

  // out = this · coefficients, for several outputs at once. `coefficients`: outputs × columns; `out`: outputs × rows.
  void Multiply(std::span<const double> coefficients, size_t outputs, int threads, std::span<double> out) const;
  // out = transpose of this · values. `values`: outputs × rows; `out`: outputs × columns.
  void TransposeMultiply(std::span<const double> values, size_t outputs, int threads, std::span<double> out) const;

  // Of column x: the sum of x·v, the sum of w·x², and out += scale · w · x, element by element.
  double Dot(size_t column, std::span<const double> v) const;
  double WeightedSquares(size_t column, std::span<const double> weights) const;
  void AddWeighted(size_t column, double scale, std::span<const double> weights, std::span<double> out) const;

 private:
  struct Part {
    size_t first_column = 0, columns = 1;
    std::vector<double> numbers;       // of a column of numbers
    std::vector<int32_t> codes;        // of levels; empty where no row has one
    std::vector<uint32_t> level_rows;  // rows sorted by level,
    std::vector<uint32_t> level_ends;  // those of level k end at level_ends[k]
  };
  std::span<const uint32_t> RowsOf(const Part& part, size_t column) const;

  size_t rows_;
  size_t columns_ = 0;
  std::vector<Part> parts_;
  std::vector<uint32_t> part_of_;  // one a column
};

}  // namespace everlearn
