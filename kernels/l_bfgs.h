// Limited-memory BFGS with a line search for the strong Wolfe conditions.
//
// Source: Nocedal & Wright, Numerical Optimization, 2nd edition: algorithms 7.4 and 7.5 (two-loop recursion), 3.5 and 3.6 (line search).
// Pure functions: no state is kept, any thread may call them, and the result depends on nothing but the arguments.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace everlearn {

// Value of a smooth function at `x`; fills `gradient` (of the same length).
using SmoothFunction = std::function<double(std::span<const double> x, std::span<double> gradient)>;

struct LBfgsOptions {
  int history = 10;                  // pairs of steps and changes of gradient that are remembered
  int max_iterations = 200;          // 0 only evaluates the start
  double gradient_tolerance = 1e-6;  // converged when no component of the gradient is larger
  double value_tolerance = 1e-14;    // or when a step lowers the value by less than this part of it
  std::function<bool()> stop;        // asked before each iteration; true ends with the best point so far
};

struct LBfgsResult {
  double value = 0;
  int iterations = 0;
  bool converged = false;
};

// Minimises from `*x`, where the result is left. A value that is not finite counts as infinitely bad; the start must be finite (assert).
LBfgsResult MinimizeLBfgs(const SmoothFunction& function, std::vector<double>* x, const LBfgsOptions& options);

}  // namespace everlearn
