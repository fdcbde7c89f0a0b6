// Weighted least squares with the elastic-net penalty, by cyclic coordinate descent.
//
// Source: Friedman, Hastie & Tibshirani, Regularization Paths for Generalized Linear Models via Coordinate Descent, J. Stat. Softw. 33
// (2010), sections 2.1-2.4 ("naive" updates, sweeps over the active set). Pure functions, safe from any thread.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "kernels/design_matrix.h"

namespace everlearn {

struct CoordinateDescentOptions {
  double l1 = 0, l2 = 0;       // strengths of the two penalties; the intercept has none
  int max_sweeps = 1000;       // over the columns
  double tolerance = 1e-12;    // converged when no update lowers the objective by more than this part of the targets' sum of squares
  std::function<bool()> stop;  // asked before each sweep; true ends with what there is
};

// Minimises ½ Σ w_i (y_i − b − x_i·β)² + l1 Σ|β_j| + ½ l2 Σ β_j², from the given b and β, where the result is left. `design` has its levels
// indexed; weights are at least 0 and not all 0. Returns the number of sweeps.
int ElasticNetLeastSquares(const DesignMatrix& design, std::span<const double> targets, std::span<const double> weights,
                           const CoordinateDescentOptions& options, double* intercept, std::span<double> coefficients);

}  // namespace everlearn
