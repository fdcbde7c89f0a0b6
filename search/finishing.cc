#include "search/finishing.h"

#include <cmath>

#include "evaluation/metric.h"
#include "search/calibration.h"
#include "search/conformal.h"
#include "search/decision.h"

namespace everlearn {
namespace {

// Coverage and size on one half of the rows of intervals made from the other, both ways.
JsonObject MeasureCoverage(std::span<const double> truth, std::span<const double> predictions, size_t classes, double coverage) {
  const size_t outputs = std::max<size_t>(classes, 1);
  double rows = 0, inside = 0, size = 0;
  for (size_t half = 0; half < 2; ++half) {
    std::vector<double> other_truth, other;
    for (size_t i = 1 - half; i < truth.size(); i += 2) {
      other_truth.push_back(truth[i]);
      other.insert(other.end(), predictions.begin() + i * outputs, predictions.begin() + (i + 1) * outputs);
    }
    const Intervals intervals = FitIntervals(other_truth, other, classes, 0);
    if (!intervals) continue;
    const double least = classes > 0 ? intervals.LeastProbability(coverage) : 0;
    for (size_t i = half; i < truth.size(); i += 2) {
      const double* row = &predictions[i * outputs];
      if (!std::isfinite(*row)) continue;
      ++rows;
      if (classes == 0) {
        const auto [lower, upper] = intervals.Around(*row, coverage);
        inside += lower <= truth[i] && truth[i] <= upper ? 1 : 0;
        size += upper - lower;
      } else {
        inside += row[static_cast<size_t>(truth[i])] >= least ? 1 : 0;
        for (size_t k = 0; k < classes; ++k) size += row[k] >= least ? 1 : 0;
      }
    }
  }
  return {{"asked", coverage}, {"measured", inside / rows}, {classes == 0 ? "width" : "labels", size / rows}};
}

}  // namespace

Finished Finish(std::shared_ptr<const Model> model, const Task& task, std::span<const double> truth, std::vector<double> predictions,
                std::span<const double> weights, const FinishingOptions& options) {
  const size_t classes = task.labels.size();
  const Metric& metric = Metrics().Get(task.metric);
  Finished finished{std::move(model), options.decision, {}, std::move(predictions), {}};
  if (classes > 1 && options.calibrate && !finished.predictions.empty()) {
    // A measure without losses of rows that does not look at the class looks at the order.
    const bool keep_order = !metric.row_loss && !DependsOnDecision(metric);
    const Calibration calibration =
        ChooseCalibration({truth, finished.predictions, weights, classes}, keep_order, options.seed, options.stop);
    finished.model = MakeCalibrated(std::move(finished.model), calibration);
    for (size_t i = 0; i < truth.size(); ++i) {
      double* row = &finished.predictions[i * classes];
      if (!std::isnan(*row)) calibration.Apply(row, row);
    }
    finished.report["calibration"] = CalibrationName(calibration.method);
  }
  if (finished.decision.empty() && !finished.predictions.empty())
    finished.decision = TuneDecision(metric, truth, finished.predictions, weights, classes, options.seed);
  if (!finished.decision.empty()) {
    JsonObject decision;
    for (size_t c = 0; c < classes; ++c) decision[task.labels[c]] = finished.decision[c];
    finished.report["decision"] = std::move(decision);
  }
  if (finished.predictions.empty()) return finished;
  finished.intervals = FitIntervals(truth, finished.predictions, classes, options.coverage);
  if (options.coverage > 0) finished.report["coverage"] = MeasureCoverage(truth, finished.predictions, classes, options.coverage);
  return finished;
}

}  // namespace everlearn
