// Products against plain sums in double precision; the exponential against the C library's.
#include "base/matrix_product.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "base/widest_vectors.h"

namespace everlearn {
namespace {

std::vector<float> RandomNumbers(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(random.Normal());
  return numbers;
}

struct Shape {
  size_t rows, depth, columns;
};

// Around the sizes of tiles, panels and blocks, and with strides that are wider than the rows.
const Shape kShapes[] = {{1, 1, 1},     {1, 0, 5},      {3, 7, 15},     {5, 17, 16},   {6, 31, 17}, {7, 32, 31},
                         {11, 33, 32},  {12, 64, 33},   {13, 128, 48},  {24, 5, 49},   {25, 9, 64}, {37, 300, 65},
                         {513, 40, 33}, {2100, 33, 20}, {300, 1100, 3}, {600, 257, 96}};

TEST(MatrixProduct, MultiplyEqualsSums) {
  for (const auto& [rows, depth, columns] : kShapes) {
    const size_t left_stride = depth + 3, out_stride = columns + 5;
    const std::vector<float> left = RandomNumbers(rows * left_stride, 1), right = RandomNumbers(depth * columns, 2),
                             bias = RandomNumbers(columns, 3);
    PackedMatrix packed;
    packed.Pack(right.data(), depth, columns, columns, 1);
    std::vector<float> out(rows * out_stride, -7.0f);
    Multiply(left.data(), rows, left_stride, packed, bias.data(), out.data(), out_stride);
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < out_stride; ++j) {
        double sum = j < columns ? bias[j] : -7;
        for (size_t k = 0; j < columns && k < depth; ++k) sum += static_cast<double>(left[i * left_stride + k]) * right[k * columns + j];
        ASSERT_NEAR(out[i * out_stride + j], sum, 1e-6 * (10 + static_cast<double>(depth))) << rows << ' ' << depth << ' ' << columns;
      }
    }
  }
}

TEST(MatrixProduct, PacksATranspose) {
  const size_t depth = 45, columns = 70;
  const std::vector<float> left = RandomNumbers(5 * depth, 1), right = RandomNumbers(depth * columns, 2);
  std::vector<float> transposed(depth * columns);
  for (size_t k = 0; k < depth; ++k)
    for (size_t j = 0; j < columns; ++j) transposed[j * depth + k] = right[k * columns + j];
  PackedMatrix plain, swapped;
  plain.Pack(right.data(), depth, columns, columns, 1);
  swapped.Pack(transposed.data(), depth, columns, 1, depth);
  std::vector<float> a(5 * columns), b(5 * columns);
  Multiply(left.data(), 5, depth, plain, nullptr, a.data(), columns);
  Multiply(left.data(), 5, depth, swapped, nullptr, b.data(), columns);
  EXPECT_EQ(a, b);
}

TEST(MatrixProduct, ARowDoesNotDependOnTheOthers) {
  const size_t rows = 131, depth = 77, columns = 53;
  const std::vector<float> left = RandomNumbers(rows * depth, 4), right = RandomNumbers(depth * columns, 5),
                           bias = RandomNumbers(columns, 6);
  PackedMatrix packed;
  packed.Pack(right.data(), depth, columns, columns, 1);
  std::vector<float> all(rows * columns), one(columns);
  Multiply(left.data(), rows, depth, packed, bias.data(), all.data(), columns);
  for (size_t i = 0; i < rows; ++i) {
    Multiply(left.data() + i * depth, 1, depth, packed, bias.data(), one.data(), columns);
    for (size_t j = 0; j < columns; ++j) ASSERT_EQ(all[i * columns + j], one[j]) << "row " << i;
  }
}

TEST(MatrixProduct, AddsTransposedProducts) {
  for (const auto& [left_columns, depth, columns] : kShapes) {
    const size_t left_stride = left_columns + 2, right_stride = columns + 1, out_stride = columns + 4;
    const std::vector<float> left = RandomNumbers(depth * left_stride, 1), right = RandomNumbers(depth * right_stride, 2);
    std::vector<float> out(left_columns * out_stride, 0.5f);
    AddTransposedProduct(left.data(), depth, left_columns, left_stride, right.data(), columns, right_stride, out.data(), out_stride);
    for (size_t i = 0; i < left_columns; ++i) {
      for (size_t j = 0; j < out_stride; ++j) {
        double sum = 0.5;
        for (size_t k = 0; j < columns && k < depth; ++k)
          sum += static_cast<double>(left[k * left_stride + i]) * right[k * right_stride + j];
        ASSERT_NEAR(out[i * out_stride + j], sum, 1e-6 * (10 + static_cast<double>(depth)))
            << left_columns << ' ' << depth << ' ' << columns;
      }
    }
  }
}

TEST(FastExp, IsWithinTwoUnits) {
  for (float x = -87; x <= 88; x += 0.0137f) {
    const double exact = std::exp(static_cast<double>(x));
    ASSERT_NEAR(FastExp(x) / exact, 1, 2.4e-7) << x;
  }
  EXPECT_EQ(FastExp(0), 1);
  EXPECT_GT(FastExp(-1e30f), 0);
  EXPECT_TRUE(std::isfinite(FastExp(1e30f)));
  EXPECT_TRUE(std::isnan(FastExp(std::nanf(""))));
}

void AddExponentials(const float* x, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] += FastExp(x[i]);
}

TEST(WidestVectors, GiveWhatPlainLoopsGive) {
  const std::vector<float> x = RandomNumbers(1003, 1);
  std::vector<float> plain = RandomNumbers(1003, 2), widest = plain;
  AddExponentials(x.data(), plain.data(), x.size());
  RunWithWidestVectors<AddExponentials>(x.data(), widest.data(), x.size());
  EXPECT_EQ(plain, widest);
}

}  // namespace
}  // namespace everlearn
