// Products of the hybrid design against the same matrix written out.
#include "kernels/design_matrix.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace everlearn {
namespace {

struct Written {
  DesignMatrix design;
  std::vector<std::vector<double>> columns;  // the same, dense
};

Written MakeDesign(size_t rows) {
  Written written{DesignMatrix(rows), {}};
  Random random(7);
  for (int part = 0; part < 3; ++part) {
    std::vector<double> numbers(rows);
    for (double& v : numbers) v = random.Normal();
    written.columns.push_back(numbers);
    written.design.AddNumbers(std::move(numbers));
    std::vector<int32_t> codes(rows);
    std::vector<std::vector<double>> levels(5, std::vector<double>(rows, 0.0));
    for (size_t i = 0; i < rows; ++i) {
      codes[i] = static_cast<int32_t>(random.Below(6)) - 1;
      if (codes[i] >= 0) levels[static_cast<size_t>(codes[i])][i] = 1;
    }
    written.columns.insert(written.columns.end(), levels.begin(), levels.end());
    written.design.AddLevels(std::move(codes), 5);
  }
  written.design.IndexLevels();
  return written;
}

TEST(DesignMatrix, MultipliesAsTheWrittenMatrix) {
  const size_t rows = 2500, outputs = 3;
  const Written written = MakeDesign(rows);
  ASSERT_EQ(written.design.columns(), 18u);
  Random random(8);
  std::vector<double> coefficients(outputs * 18), out(outputs * rows), other(outputs * rows), back(outputs * 18);
  for (double& v : coefficients) v = random.Normal();
  written.design.Multiply(coefficients, outputs, 1, out);
  written.design.Multiply(coefficients, outputs, 2, other);
  EXPECT_EQ(out, other);
  written.design.TransposeMultiply(out, outputs, 2, back);
  for (size_t k = 0; k < outputs; ++k) {
    for (size_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (size_t j = 0; j < 18; ++j) sum += written.columns[j][i] * coefficients[k * 18 + j];
      ASSERT_NEAR(out[k * rows + i], sum, 1e-12);
    }
    for (size_t j = 0; j < 18; ++j) {
      double sum = 0;
      for (size_t i = 0; i < rows; ++i) sum += written.columns[j][i] * out[k * rows + i];
      EXPECT_NEAR(back[k * 18 + j], sum, 1e-9);
    }
  }
}

TEST(DesignMatrix, WorksColumnByColumn) {
  const size_t rows = 101;
  const Written written = MakeDesign(rows);
  Random random(9);
  std::vector<double> v(rows), w(rows);
  for (size_t i = 0; i < rows; ++i) v[i] = random.Normal(), w[i] = random.Uniform();
  for (size_t j = 0; j < written.design.columns(); ++j) {
    double dot = 0, squares = 0;
    std::vector<double> sum = v;
    for (size_t i = 0; i < rows; ++i) {
      const double x = written.columns[j][i];
      dot += x * v[i];
      squares += w[i] * x * x;
      sum[i] += 0.5 * w[i] * x;
    }
    EXPECT_NEAR(written.design.Dot(j, v), dot, 1e-12);
    EXPECT_NEAR(written.design.WeightedSquares(j, w), squares, 1e-12);
    std::vector<double> out = v;
    written.design.AddWeighted(j, 0.5, w, out);
    for (size_t i = 0; i < rows; ++i) EXPECT_NEAR(out[i], sum[i], 1e-14);
  }
}

TEST(DesignMatrix, LevelsWithoutRowsAndColumnsWithoutLevels) {
  DesignMatrix design(3);
  design.AddLevels({-1, -1, -1}, 2);
  design.AddLevels({-1, -1, -1}, 0);
  design.IndexLevels();
  ASSERT_EQ(design.columns(), 2u);
  EXPECT_EQ(design.Dot(1, std::vector<double>{1, 2, 3}), 0);
}

}  // namespace
}  // namespace everlearn
