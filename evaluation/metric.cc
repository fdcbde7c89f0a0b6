#include "evaluation/metric.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

Registry<Metric>& Metrics() {
  static Registry<Metric> registry("metric");
  return registry;
}

JsonObject AllMeasures(const Scored& scored, TaskKind kind) {
  JsonObject measures;
  for (const std::string& name : Metrics().Names()) {
    const Metric& metric = Metrics().Get(name);
    if (metric.fits(kind)) measures[name] = metric.compute(scored);
  }
  return measures;
}

size_t PredictedClass(const double* probabilities, size_t classes, std::span<const double> decision) {
  if (decision.empty()) return static_cast<size_t>(std::max_element(probabilities, probabilities + classes) - probabilities);
  size_t best = 0;
  for (size_t c = 1; c < classes; ++c) {
    if (probabilities[c] * decision[c] > probabilities[best] * decision[best]) best = c;
  }
  return best;
}

double LogLoss(const double* probabilities, size_t truth, size_t /*classes*/) {
  return -std::log(std::clamp(probabilities[truth], 1e-15, 1 - 1e-15));
}

}  // namespace everlearn
