// The loss of mixed predictions, computed so often that it must be fast: what a measure needs of a prediction, and the loss of many rows.
//
// Log-loss needs the probability of the true class alone, squared errors the value, the area under the curve the probability of class 1
// (in single precision, so that ranks are sorted by their bits); any other measure is computed as it is. Immutable, safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "evaluation/metric.h"

namespace everlearn {

class MixtureLoss {
 public:
  // Throws kUsage where the metric is unknown.
  MixtureLoss(const std::string& metric, size_t classes, bool weighted);

  // Numbers a row that Of needs of a prediction, in the order of `rows`. They are linear in the prediction, so they may be mixed instead.
  size_t width() const { return form_ == Form::kAny ? outputs_ : 1; }
  std::vector<double> Gather(std::span<const double> predictions, std::span<const double> truth, std::span<const uint32_t> rows) const;
  // Rows beyond which a sample does as well.
  size_t enough_rows() const;

  // Lower is better; infinite where the measure is not defined. `truth` and `weights` (or none) are those of the gathered rows.
  double Of(std::span<const double> gathered, std::span<const double> truth, std::span<const double> weights) const;

 private:
  enum class Form { kTrueProbability, kSquaredError, kArea, kAny };
  const Metric* metric_;
  size_t classes_, outputs_;
  Form form_ = Form::kAny;
};

}  // namespace everlearn
