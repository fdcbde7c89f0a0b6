// Parameters: `method`, and `inner` {"kind", "parameters"}, whose arrays stand under "<prefix>inner.". Arrays of the file: `slope` and
// `offset` (F64), or `begin` (U64), `x` and `y` (F64), as in Calibration.
#include "model/calibrated.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/check.h"
#include "model/link.h"
#include "model/nested.h"

namespace everlearn {
namespace {

using Method = Calibration::Method;

constexpr std::array<std::string_view, 4> kNames = {"none", "temperature", "platt", "isotonic"};
constexpr double kLeast = 1e-15;

double CurveAt(const Calibration& calibration, size_t curve, double p) {
  if (calibration.method == Method::kPlatt) {
    const double held = std::clamp(p, kLeast, 1 - kLeast);
    return 1 / (1 + std::exp(-(calibration.slope[curve] * std::log(held / (1 - held)) + calibration.offset[curve])));
  }
  const double* first = calibration.x.data() + calibration.begin[curve];
  const double* last = calibration.x.data() + calibration.begin[curve + 1];
  const double* y = calibration.y.data() + calibration.begin[curve];
  const auto next = static_cast<size_t>(std::upper_bound(first, last, p) - first);  // the first point beyond p
  if (next == 0) return y[0];
  if (first + next == last) return y[next - 1];
  const double share = (p - first[next - 1]) / (first[next] - first[next - 1]);
  return y[next - 1] + share * (y[next] - y[next - 1]);
}

void CheckCurves(const Calibration& calibration) {
  const auto& [method, classes, slope, offset, begin, x, y] = calibration;
  const size_t curves = calibration.curves();
  CheckModel(classes >= 2, "a calibration needs classes");
  if (method == Method::kTemperature) {
    CheckModel(slope.size() == 1 && std::isfinite(slope[0]) && slope[0] > 0, "its temperature is wrong");
  } else if (method == Method::kPlatt) {
    CheckModel(slope.size() == curves && offset.size() == curves && AllFinite(slope) && AllFinite(offset), "its calibration is wrong");
  } else {
    CheckModel(begin.size() == curves + 1 && begin.front() == 0 && begin.back() == x.size() && x.size() == y.size(),
               "the curves of its calibration have wrong sizes");
    CheckModel(AllFinite(x) && AllFinite(y), "a point of its calibration is not finite");
    for (size_t c = 0; c < curves; ++c) {
      CheckModel(begin[c] < begin[c + 1] && begin[c + 1] <= x.size(), "a curve of its calibration is empty");
      for (uint64_t i = begin[c]; i < begin[c + 1]; ++i) {
        CheckModel(y[i] >= 0 && y[i] <= 1, "a point of its calibration is no probability");
        CheckModel(i == begin[c] || (x[i] > x[i - 1] && y[i] >= y[i - 1]), "the points of its calibration do not ascend");
      }
    }
  }
}

class CalibratedModel final : public Model {
 public:
  CalibratedModel(std::shared_ptr<const Model> inner, Calibration calibration)
      : inner_(std::move(inner)), calibration_(std::move(calibration)) {}
  std::string_view kind() const override { return "calibrated"; }
  size_t features() const override { return inner_->features(); }
  size_t outputs() const override { return inner_->outputs(); }

  const std::shared_ptr<const Model>& inner() const { return inner_; }

  void PredictRow(const double* row, double* out) const override {
    inner_->PredictRow(row, out);
    calibration_.Apply(out, out);
  }

  void Predict(const RowsView& rows, double* out) const override {
    inner_->Predict(rows, out);
    for (size_t i = 0; i < rows.rows; ++i) calibration_.Apply(out + i * outputs(), out + i * outputs());
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    if (calibration_.method == Method::kIsotonic) {
      file->Add(prefix + "begin", std::span(calibration_.begin));
      file->Add(prefix + "x", std::span(calibration_.x));
      file->Add(prefix + "y", std::span(calibration_.y));
    } else {
      file->Add(prefix + "slope", std::span(calibration_.slope));
      file->Add(prefix + "offset", std::span(calibration_.offset));
    }
    return JsonObject{{"method", CalibrationName(calibration_.method)}, {"inner", SaveModel(*inner_, prefix + "inner.", file)}};
  }

 private:
  std::shared_ptr<const Model> inner_;
  Calibration calibration_;
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  Calibration calibration;
  calibration.classes = outputs;
  const std::string name = TextField(json, "method");
  const auto found = std::find(kNames.begin() + 1, kNames.end(), name);
  CheckModel(found != kNames.end(), "its method of calibration is not known");
  calibration.method = static_cast<Method>(found - kNames.begin());
  if (calibration.method == Method::kIsotonic) {
    calibration.begin = ToVector(file.Get<uint64_t>(prefix + "begin"));
    calibration.x = ToVector(file.Get<double>(prefix + "x"));
    calibration.y = ToVector(file.Get<double>(prefix + "y"));
  } else {
    calibration.slope = ToVector(file.Get<double>(prefix + "slope"));
    calibration.offset = ToVector(file.Get<double>(prefix + "offset"));
  }
  return MakeCalibrated(LoadModel(Field(json, "inner"), prefix + "inner.", file, features, outputs), std::move(calibration));
}

const bool registered = ModelKinds().Add("calibrated", {"a model whose probabilities are mapped to calibrated ones", Load});

}  // namespace

void Calibration::Apply(const double* probabilities, double* out) const {
  if (method == Method::kNone) {
    std::copy_n(probabilities, classes, out);
  } else if (method == Method::kTemperature) {
    for (size_t k = 0; k < classes; ++k) out[k] = slope[0] * std::log(std::clamp(probabilities[k], kLeast, 1 - kLeast));
    ApplyLink(Link::kSoftmax, out, classes, 1.0, out);
  } else if (classes == 2) {
    const double p = CurveAt(*this, 0, probabilities[1]);
    out[0] = 1 - p;
    out[1] = p;
  } else {
    double sum = 0;
    for (size_t k = 0; k < classes; ++k) sum += out[k] = CurveAt(*this, k, probabilities[k]);
    // No curve speaks for any class: nothing is known.
    for (size_t k = 0; k < classes; ++k) out[k] = sum > 0 ? out[k] / sum : 1.0 / static_cast<double>(classes);
  }
}

std::string_view CalibrationName(Calibration::Method method) { return kNames[static_cast<size_t>(method)]; }

std::shared_ptr<const Model> MakeCalibrated(std::shared_ptr<const Model> model, Calibration calibration) {
  if (calibration.method == Method::kNone) return model;
  CheckModel(calibration.classes == model->outputs(), "its calibration does not fit its classes");
  CheckCurves(calibration);
  return std::make_shared<CalibratedModel>(std::move(model), std::move(calibration));
}

std::shared_ptr<const Model> Uncalibrated(std::shared_ptr<const Model> model) {
  const auto* calibrated = dynamic_cast<const CalibratedModel*>(model.get());
  return calibrated == nullptr ? model : calibrated->inner();
}

}  // namespace everlearn
