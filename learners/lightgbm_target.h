// What LightGBM learns in place of the target: an objective, labels in single precision on a scale of their own, and the way back.
//
// Immutable; safe from any thread. Skewed targets above zero: the squared error of the logarithm estimates a mean of logarithms, so that
// its exponential is corrected by a factor, as in Duan, Smearing estimate: a nonparametric retransformation method, JASA 78 (1983).
#pragma once

#include <string>
#include <vector>

#include "learners/lightgbm_booster.h"
#include "model/linear_trees.h"

namespace everlearn {

// Losses of a regression; classes have the log-loss.
struct RegressionLoss {
  std::string name = "squared";  // one of RegressionLosses()
  double level = 0.5;            // of quantile
  double delta = 1;              // of huber: errors above it count linearly; in standard deviations of the target
  double power = 1.5;            // of tweedie: the variance is that power of the mean
};
const std::vector<std::string>& RegressionLosses();

class LightGbmTarget {
 public:
  // Throws kInput where a target is not in the loss's range (poisson, tweedie: not negative; gamma, log_squared: above 0).
  LightGbmTarget(const TrainingRows& training, const RegressionLoss& loss);

  // There is nothing to learn.
  bool is_constant() const { return scale_ == 0; }
  // Its leaves are moved after they were grown, whatever monotone features ask for.
  bool moves_leaves() const { return loss_.name == "absolute" || loss_.name == "quantile"; }
  void AddObjective(LightGbmParameters* parameters) const;
  std::vector<float> Labels(const TrainingRows& rows) const;
  // Brings boosted trees back to the scale of the target. `rows` are those that the factor of log_squared is estimated on: best rows that
  // were not trained on. `linear`: where the trees have linear leaves.
  void Restore(const TrainingRows& rows, TreesParameters* trees, LinearLeaves* linear = nullptr) const;

 private:
  bool is_relative() const { return loss_.name == "poisson" || loss_.name == "gamma" || loss_.name == "tweedie"; }
  double Transformed(double target) const;
  void CheckRange(const TrainingRows& rows) const;

  size_t classes_;
  RegressionLoss loss_;
  double shift_ = 0, scale_ = 1;  // a label is (transformed target - shift) / scale
};

}  // namespace everlearn
