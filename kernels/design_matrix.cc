#include "kernels/design_matrix.h"

#include <algorithm>
#include <cassert>

#include "base/parallel.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 1024;  // a block's numbers stay in the cache while all outputs use them

// Four running sums let the additions overlap; their order is fixed, so the result is too.
double DotProduct(const double* a, const double* b, size_t count) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < count; ++i) s0 += a[i] * b[i];
  return (s0 + s2) + (s1 + s3);
}

}  // namespace

void DesignMatrix::AddNumbers(std::vector<double> values) {
  assert(values.size() == rows_);
  part_of_.push_back(static_cast<uint32_t>(parts_.size()));
  Part& part = parts_.emplace_back();
  part.first_column = columns_++;
  part.numbers = std::move(values);
}

void DesignMatrix::AddLevels(std::vector<int32_t> codes, size_t levels) {
  assert(codes.size() == rows_);
  if (levels == 0) return;
  part_of_.insert(part_of_.end(), levels, static_cast<uint32_t>(parts_.size()));
  Part& part = parts_.emplace_back();
  part.first_column = columns_;
  part.columns = levels;
  columns_ += levels;
  const bool any = std::any_of(codes.begin(), codes.end(), [](int32_t code) { return code >= 0; });
  if (any) part.codes = std::move(codes);
}

void DesignMatrix::IndexLevels() {
  for (Part& part : parts_) {
    if (!part.numbers.empty()) continue;
    std::vector<uint32_t> begins(part.columns + 1, 0);
    for (const int32_t code : part.codes)
      if (code >= 0) ++begins[static_cast<size_t>(code) + 1];
    for (size_t k = 0; k < part.columns; ++k) begins[k + 1] += begins[k];
    part.level_ends.assign(begins.begin() + 1, begins.end());
    part.level_rows.resize(begins.back());
    for (size_t i = 0; i < part.codes.size(); ++i)
      if (part.codes[i] >= 0) part.level_rows[begins[static_cast<size_t>(part.codes[i])]++] = static_cast<uint32_t>(i);
  }
}

void DesignMatrix::Multiply(std::span<const double> coefficients, size_t outputs, int threads, std::span<double> out) const {
  assert(coefficients.size() == outputs * columns_ && out.size() == outputs * rows_);
  ParallelFor((rows_ + kBlockRows - 1) / kBlockRows, threads, [&](size_t block) {
    const size_t begin = block * kBlockRows, count = std::min(kBlockRows, rows_ - begin);
    for (size_t output = 0; output < outputs; ++output) {
      double* sums = out.data() + output * rows_ + begin;
      std::fill_n(sums, count, 0.0);
      for (const Part& part : parts_) {
        const double* w = coefficients.data() + output * columns_ + part.first_column;
        if (!part.numbers.empty()) {
          if (*w == 0) continue;
          const double* x = part.numbers.data() + begin;
          for (size_t i = 0; i < count; ++i) sums[i] += *w * x[i];
        } else if (!part.codes.empty()) {
          const int32_t* codes = part.codes.data() + begin;
          for (size_t i = 0; i < count; ++i)
            if (codes[i] >= 0) sums[i] += w[codes[i]];
        }
      }
    }
  });
}

void DesignMatrix::TransposeMultiply(std::span<const double> values, size_t outputs, int threads, std::span<double> out) const {
  assert(values.size() == outputs * rows_ && out.size() == outputs * columns_);
  ParallelFor(parts_.size(), threads, [&](size_t p) {
    const Part& part = parts_[p];
    for (size_t output = 0; output < outputs; ++output) {
      const double* v = values.data() + output * rows_;
      double* sums = out.data() + output * columns_ + part.first_column;
      if (!part.numbers.empty()) {
        *sums = DotProduct(part.numbers.data(), v, rows_);
        continue;
      }
      std::fill_n(sums, part.columns, 0.0);
      for (size_t i = 0; i < part.codes.size(); ++i)
        if (part.codes[i] >= 0) sums[part.codes[i]] += v[i];
    }
  });
}

std::span<const uint32_t> DesignMatrix::RowsOf(const Part& part, size_t column) const {
  assert(!part.level_ends.empty());
  const size_t level = column - part.first_column;
  const uint32_t begin = level == 0 ? 0 : part.level_ends[level - 1];
  return {part.level_rows.data() + begin, part.level_ends[level] - begin};
}

double DesignMatrix::Dot(size_t column, std::span<const double> v) const {
  const Part& part = parts_[part_of_[column]];
  if (!part.numbers.empty()) return DotProduct(part.numbers.data(), v.data(), rows_);
  double sum = 0;
  for (const uint32_t row : RowsOf(part, column)) sum += v[row];
  return sum;
}

double DesignMatrix::WeightedSquares(size_t column, std::span<const double> weights) const {
  const Part& part = parts_[part_of_[column]];
  double sum = 0;
  if (!part.numbers.empty()) {
    for (size_t i = 0; i < rows_; ++i) sum += weights[i] * part.numbers[i] * part.numbers[i];
  } else {
    for (const uint32_t row : RowsOf(part, column)) sum += weights[row];
  }
  return sum;
}

void DesignMatrix::AddWeighted(size_t column, double scale, std::span<const double> weights, std::span<double> out) const {
  const Part& part = parts_[part_of_[column]];
  if (!part.numbers.empty()) {
    for (size_t i = 0; i < rows_; ++i) out[i] += scale * weights[i] * part.numbers[i];
  } else {
    for (const uint32_t row : RowsOf(part, column)) out[row] += scale * weights[row];
  }
}

}  // namespace everlearn
