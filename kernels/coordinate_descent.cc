#include "kernels/coordinate_descent.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

double SoftThreshold(double value, double threshold) {
  return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0.0;
}

// One problem while it is being solved.
class Descent {
 public:
  Descent(const DesignMatrix& design, std::span<const double> targets, std::span<const double> weights,
          const CoordinateDescentOptions& options, double* intercept, std::span<double> coefficients)
      : design_(design), weights_(weights), options_(options), intercept_(intercept), coefficients_(coefficients) {
    residuals_.assign(design.rows(), 0.0);
    design.Multiply(coefficients, 1, 1, residuals_);
    for (size_t i = 0; i < design.rows(); ++i) {
      total_weight_ += weights[i];
      scale_ += weights[i] * targets[i] * targets[i];
      residuals_[i] = weights[i] * (targets[i] - *intercept - residuals_[i]);
    }
    for (size_t j = 0; j < design.columns(); ++j) squares_.push_back(design.WeightedSquares(j, weights));
  }

  int Run() {
    int sweeps = 0;
    while (sweeps < options_.max_sweeps && !Stopped()) {
      ++sweeps;
      if (Sweep(/*active_only=*/false) <= options_.tolerance * scale_) break;
      while (sweeps < options_.max_sweeps && !Stopped()) {
        ++sweeps;
        if (Sweep(/*active_only=*/true) <= options_.tolerance * scale_) break;
      }
    }
    return sweeps;
  }

 private:
  bool Stopped() const { return options_.stop && options_.stop(); }

  // Returns the largest squared change of the fit that one update made.
  double Sweep(bool active_only) {
    double largest = MoveIntercept();
    for (size_t j = 0; j < coefficients_.size(); ++j) {
      if (squares_[j] == 0 || (active_only && coefficients_[j] == 0)) continue;
      const double before = coefficients_[j];
      const double after = SoftThreshold(design_.Dot(j, residuals_) + squares_[j] * before, options_.l1) / (squares_[j] + options_.l2);
      if (after == before) continue;
      coefficients_[j] = after;
      design_.AddWeighted(j, before - after, weights_, residuals_);
      largest = std::max(largest, squares_[j] * (after - before) * (after - before));
    }
    return largest;
  }

  double MoveIntercept() {
    double sum = 0;
    for (const double r : residuals_) sum += r;
    const double move = sum / total_weight_;
    *intercept_ += move;
    for (size_t i = 0; i < residuals_.size(); ++i) residuals_[i] -= move * weights_[i];
    return total_weight_ * move * move;
  }

  const DesignMatrix& design_;
  std::span<const double> weights_;
  const CoordinateDescentOptions& options_;
  double* intercept_;
  std::span<double> coefficients_;
  std::vector<double> residuals_;  // weighted
  std::vector<double> squares_;    // Σ w x², one a column
  double total_weight_ = 0, scale_ = 0;
};

}  // namespace

int ElasticNetLeastSquares(const DesignMatrix& design, std::span<const double> targets, std::span<const double> weights,
                           const CoordinateDescentOptions& options, double* intercept, std::span<double> coefficients) {
  return Descent(design, targets, weights, options, intercept, coefficients).Run();
}

}  // namespace everlearn
