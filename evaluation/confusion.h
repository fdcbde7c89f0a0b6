// Weighted counts of true against predicted classes.
#pragma once

#include <vector>

#include "evaluation/metric.h"

namespace everlearn {

struct Confusion {
  explicit Confusion(const Scored& scored) : right(scored.classes), truth(scored.classes), predicted(scored.classes) {
    for (size_t i = 0; i < scored.rows(); ++i) {
      const auto actual = static_cast<size_t>(scored.truth[i]);
      const size_t guess = PredictedClass(&scored.predictions[i * scored.classes], scored.classes, scored.decision);
      const double weight = scored.weight(i);
      total += weight;
      truth[actual] += weight;
      predicted[guess] += weight;
      if (guess == actual) right[actual] += weight, all_right += weight;
    }
  }

  double total = 0, all_right = 0;
  std::vector<double> right, truth, predicted;  // by class
};

}  // namespace everlearn
