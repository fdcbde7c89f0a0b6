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

size_t PredictedClass(const double* probabilities, size_t classes) {
  return static_cast<size_t>(std::max_element(probabilities, probabilities + classes) - probabilities);
}

double LogLoss(const double* probabilities, size_t truth, size_t /*classes*/) {
  return -std::log(std::clamp(probabilities[truth], 1e-15, 1 - 1e-15));
}

}  // namespace everlearn
