// A model whose probabilities are mapped to calibrated ones.
//
// Immutable. Probabilities are held inside [1e-15, 1 − 1e-15] where their logarithms are taken.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/model.h"

namespace everlearn {

struct Calibration {
  enum class Method {
    kNone,
    kTemperature,  // softmax of slope × log p (Guo, Pleiss, Sun & Weinberger 2017)
    kPlatt,        // a curve: sigmoid of slope × log-odds + offset (Platt 1999, over log-odds)
    kIsotonic,     // a curve: lines between ascending points (Zadrozny & Elkan 2002), flat beyond them
  };
  Method method = Method::kNone;
  size_t classes = 0;
  // Two classes have one curve, of class 1; more have one each, and their values are divided by their sum.
  size_t curves() const { return classes == 2 ? 1 : classes; }
  std::vector<double> slope = {}, offset = {};  // temperature: one slope; Platt: one a curve
  std::vector<uint64_t> begin = {};             // isotonic: curves + 1, where the points of each curve begin
  std::vector<double> x = {}, y = {};

  // `out` may be `probabilities`.
  void Apply(const double* probabilities, double* out) const;
};

std::string_view CalibrationName(Calibration::Method method);  // "none", "temperature", "platt", "isotonic"

// The model itself where the method is none. Throws kDamaged where numbers are wrong or do not fit the model's classes.
std::shared_ptr<const Model> MakeCalibrated(std::shared_ptr<const Model> model, Calibration calibration);

// What MakeCalibrated was given; the model itself where it is not calibrated.
std::shared_ptr<const Model> Uncalibrated(std::shared_ptr<const Model> model);

}  // namespace everlearn
