// Elastic-net least squares against a closed form and scikit-learn.
#include "kernels/coordinate_descent.h"

#include <gtest/gtest.h>

#include <cmath>

namespace everlearn {
namespace {

// Two orthogonal columns: β_j = S(x_j·y, l1) / (x_j·x_j + l2), S the soft threshold.
TEST(CoordinateDescent, SoftThresholdsAnOrthogonalDesign) {
  DesignMatrix design(4);
  design.AddNumbers({1, 1, -1, -1});
  design.AddNumbers({1, -1, 1, -1});
  const std::vector<double> targets{5, 1, 2, -2}, weights(4, 1.0);
  CoordinateDescentOptions options;
  options.l1 = 1.5;
  options.l2 = 2;
  double intercept = 0;
  std::vector<double> coefficients(2, 0.0);
  ElasticNetLeastSquares(design, targets, weights, options, &intercept, coefficients);
  EXPECT_NEAR(intercept, 1.5, 1e-12);
  EXPECT_NEAR(coefficients[0], (6 - 1.5) / 6, 1e-12);
  EXPECT_NEAR(coefficients[1], (8 - 1.5) / 6, 1e-12);
}

struct Case {
  double l1, l2;
  std::vector<double> expected;  // intercept, coefficients
};

// sklearn.linear_model.ElasticNet(alpha=(l1 + l2) / W, l1_ratio=l1 / (l1 + l2), tol=1e-14, max_iter=1000000).fit(Z, y, sample_weight=w)
// (scikit-learn 1.9.1), W = w.sum() and Z, y, w as below.
TEST(CoordinateDescent, EqualsScikitLearn) {
  const Case cases[] = {
      {3, 2, {0.9988540464, 1.769113549, -1.307435803, 0, 0.4341111262, 0, 0, 0, 0}},
      {0, 1.5, {0.9949315408, 1.903477977, -1.435484371, 0.006557043333, 0.6112283073, 0, 0.03698924792, 0, -0.004907556223}},
      {8, 0, {0.9974924916, 1.703521729, -1.209527652, 0, 0.2139344965, 0, 0, 0, 0}},
  };
  const size_t rows = 40, columns = 4;
  std::vector<std::vector<double>> x(columns, std::vector<double>(rows));
  std::vector<double> targets(rows), weights(rows);
  std::vector<int32_t> codes(rows);
  for (size_t i = 0; i < rows; ++i) {
    const double u = static_cast<double>(i);
    for (size_t j = 0; j < columns; ++j) {
      const double v = static_cast<double>(j);
      x[j][i] = std::sin(1.7 * u + 2.3 * v * v + 0.5 * u * v);
    }
    targets[i] = 2 * x[0][i] - 1.5 * x[1][i] + 0.3 * x[3][i] + std::cos(3.1 * u) * 0.5 + 1;
    weights[i] = 1 + 0.5 * static_cast<double>(i % 3);
    codes[i] = static_cast<int32_t>((7 * i * i + 3 * i) % 5) - 1;
  }
  DesignMatrix design(rows);
  for (auto& column : x) design.AddNumbers(column);
  design.AddLevels(codes, 4);
  design.IndexLevels();
  for (const Case& c : cases) {
    CoordinateDescentOptions options;
    options.l1 = c.l1;
    options.l2 = c.l2;
    options.tolerance = 1e-20;
    options.max_sweeps = 10000;
    double intercept = 0;
    std::vector<double> coefficients(8, 0.0);
    ElasticNetLeastSquares(design, targets, weights, options, &intercept, coefficients);
    EXPECT_NEAR(intercept, c.expected[0], 1e-8);
    for (size_t j = 0; j < 8; ++j) EXPECT_NEAR(coefficients[j], c.expected[j + 1], 1e-8) << "l1 " << c.l1 << " column " << j;
  }
}

}  // namespace
}  // namespace everlearn
