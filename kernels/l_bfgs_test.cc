// L-BFGS against closed forms and a logistic regression that SciPy solved.
#include "kernels/l_bfgs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace everlearn {
namespace {

TEST(LBfgs, FindsTheValleyOfRosenbrock) {
  const SmoothFunction rosenbrock = [](std::span<const double> x, std::span<double> g) {
    double value = 0;
    std::fill(g.begin(), g.end(), 0.0);
    for (size_t i = 0; i + 1 < x.size(); ++i) {
      const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
      value += 100 * a * a + b * b;
      g[i] += -400 * x[i] * a - 2 * b;
      g[i + 1] += 200 * a;
    }
    return value;
  };
  std::vector<double> x{-1.2, 1, -1.2, 1, -1.2, 1};
  LBfgsOptions options;
  options.gradient_tolerance = 1e-9;
  const LBfgsResult result = MinimizeLBfgs(rosenbrock, &x, options);
  EXPECT_TRUE(result.converged);
  for (const double v : x) EXPECT_NEAR(v, 1.0, 1e-8);
  EXPECT_LT(result.iterations, 100);
}

TEST(LBfgs, SolvesAnIllConditionedQuadratic) {
  // Σ c_i (x_i - i)² with c from 1 to 1e6.
  const SmoothFunction quadratic = [](std::span<const double> x, std::span<double> g) {
    double value = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double c = std::pow(10.0, static_cast<double>(i)), d = x[i] - static_cast<double>(i);
      value += c * d * d;
      g[i] = 2 * c * d;
    }
    return value;
  };
  std::vector<double> x(7, 0.0);
  MinimizeLBfgs(quadratic, &x, {});
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], static_cast<double>(i), 1e-6);
}

// from scipy.optimize import minimize  (1.17; method BFGS, gtol 1e-11) on Σ log(1 + exp z) - t z + ½ |β|², X and y as below, t = y > 1.
TEST(LBfgs, EqualsSciPyOnLogisticRegression) {
  const size_t rows = 40, columns = 4;
  const SmoothFunction loss = [&](std::span<const double> x, std::span<double> g) {
    double value = 0;
    std::fill(g.begin(), g.end(), 0.0);
    for (size_t i = 0; i < rows; ++i) {
      double row[columns], z = x[0];
      const double u = static_cast<double>(i);
      for (size_t j = 0; j < columns; ++j) {
        const double v = static_cast<double>(j);
        row[j] = std::sin(1.7 * u + 2.3 * v * v + 0.5 * u * v);
        z += row[j] * x[j + 1];
      }
      const double t = 2 * row[0] - 1.5 * row[1] + 0.3 * row[3] + std::cos(3.1 * u) * 0.5 + 1 > 1 ? 1 : 0;
      const double slope = 1 / (1 + std::exp(-z)) - t;
      value += std::log1p(std::exp(z)) - t * z;
      g[0] += slope;
      for (size_t j = 0; j < columns; ++j) g[j + 1] += slope * row[j];
    }
    for (size_t j = 1; j <= columns; ++j) {
      value += 0.5 * x[j] * x[j];
      g[j] += x[j];
    }
    return value;
  };
  std::vector<double> x(columns + 1, 0.0);
  LBfgsOptions options;
  options.gradient_tolerance = 1e-9;
  const LBfgsResult result = MinimizeLBfgs(loss, &x, options);
  const double expected[] = {-0.34417386, 2.286927447, -1.180357881, 0.2429625101, -0.005773976081};
  for (size_t j = 0; j <= columns; ++j) EXPECT_NEAR(x[j], expected[j], 1e-8);
  EXPECT_NEAR(result.value, 14.936354455209468, 1e-10);
}

TEST(LBfgs, StepsBackFromWhereTheFunctionIsNotDefined) {
  // x - log x has its minimum at 1 and no value below 0, where the first long steps lead.
  const SmoothFunction barrier = [](std::span<const double> x, std::span<double> g) {
    g[0] = 1 - 1 / x[0];
    return x[0] > 0 ? x[0] - std::log(x[0]) : std::numeric_limits<double>::quiet_NaN();
  };
  std::vector<double> x{50};
  MinimizeLBfgs(barrier, &x, {});
  EXPECT_NEAR(x[0], 1.0, 1e-5);
}

TEST(LBfgs, StopsWhenTold) {
  const SmoothFunction bowl = [](std::span<const double> x, std::span<double> g) {
    g[0] = 4 * x[0] * x[0] * x[0];
    return x[0] * x[0] * x[0] * x[0];
  };
  std::vector<double> x{3};
  LBfgsOptions options;
  options.stop = [] { return true; };
  const LBfgsResult result = MinimizeLBfgs(bowl, &x, options);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(x[0], 3);
}

}  // namespace
}  // namespace everlearn
