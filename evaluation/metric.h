// Measures of predictions: one file each, registered by name; equal to scikit-learn's where it has them. Those of scikit-learn's that are
// another's number have no name of their own: f1, precision and recall with average="micro", and recall with "weighted", are accuracy;
// zero-one and Hamming loss 1 − accuracy; d2_pinball_score of the median is d2_absolute_error.
//
// Pure functions, safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/registry.h"
#include "data/task.h"

namespace everlearn {

// Predictions and truths of the same rows. For classification `predictions` is rows × classes probabilities and `truth` class indices; for
// regression both are values. The class that is predicted is the first of the largest probability × weight of the decision; the positive
// class of a binary task is class 1.
struct Scored {
  std::span<const double> truth;
  std::span<const double> predictions;
  size_t classes = 0;                     // 0: regression
  std::span<const double> weights = {};   // of rows; empty: all 1
  std::span<const double> decision = {};  // weights of classes; empty: all 1
  size_t rows() const { return truth.size(); }
  double weight(size_t i) const { return weights.empty() ? 1.0 : weights[i]; }
};

struct Metric {
  std::string summary;
  bool higher_is_better = false;
  bool binary = false, multiclass = false, regression = false;
  // NaN where it is not defined (one class only, no rows).
  std::function<double(const Scored&)> compute;
  // Loss of one prediction (lower is better), where the metric is a mean of such losses (or of 1 − loss, its root, or its share of the loss
  // of a constant); otherwise empty, and log-loss or the squared error stands for it in tests. Of classification it lies in [0, 2], but for
  // the log-loss. NaN where it is not defined.
  std::function<double(const double* prediction, double truth, size_t classes)> row_loss;
  // The values of a regression learner's parameters, of `loss` first of all, that aim at this measure; empty: the squared error is as good
  // as any.
  std::map<std::string, std::string> aim = {};

  bool fits(TaskKind kind) const { return kind == TaskKind::kBinary ? binary : kind == TaskKind::kMulticlass ? multiclass : regression; }
};

Registry<Metric>& Metrics();

// Every measure that fits the task, by name.
JsonObject AllMeasures(const Scored& scored, TaskKind kind);

// Index of the first largest of `classes` numbers, each times its weight where there are weights.
size_t PredictedClass(const double* probabilities, size_t classes, std::span<const double> decision = {});

// Probabilities are held inside [1e-15, 1 − 1e-15] and logarithms are natural, as scikit-learn does.
double LogLoss(const double* probabilities, size_t truth, size_t classes);

}  // namespace everlearn
