// Calibration from out-of-fold predictions: temperature, Platt, isotonic, or none.
//
// Pure functions. `truth`: class indices; `predictions`: rows × classes probabilities without NaN; `weights`: of rows, or none.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "model/calibrated.h"

namespace everlearn {

struct CalibrationData {
  std::span<const double> truth, predictions, weights;
  size_t classes = 0;
};

// Least log-loss: temperature by Newton's method; Platt by Newton's method with Platt's smoothed targets (Lin, Lin & Weng 2007), each class
// against the rest; isotonic by pooling adjacent violators, held half a row away from 0 and 1. Needs a row of each of two classes.
Calibration FitCalibration(Calibration::Method method, const CalibrationData& data);

// The method with the least log-loss on rows that it was not fitted on (five folds of the rows), fitted on all; none unless it lowers the
// log-loss by more than twice the standard error of the difference. Isotonic only from 1,000 rows on, and not where the order of the
// probabilities is to be kept (it makes them equal); for more than two classes no method keeps the order, and none is used then.
// Rows without a prediction (NaN) are left out; large data is sampled. `stop` is asked before each fit: true ends the choice among those
// that were tried by then.
Calibration ChooseCalibration(const CalibrationData& data, bool keep_order, uint64_t seed, const std::function<bool()>& stop = {});

}  // namespace everlearn
