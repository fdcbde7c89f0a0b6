// Arrays of the file: `values` (F64, one an output).
#include "model/constant.h"

#include <algorithm>

#include "model/check.h"

namespace everlearn {
namespace {

class ConstantModel final : public Model {
 public:
  ConstantModel(size_t features, std::vector<double> values) : features_(features), values_(std::move(values)) {}
  std::string_view kind() const override { return "constant"; }
  size_t features() const override { return features_; }
  size_t outputs() const override { return values_.size(); }
  void PredictRow(const double*, double* out) const override { std::copy(values_.begin(), values_.end(), out); }
  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    file->Add(prefix + "values", std::span<const double>(values_));
    return JsonObject();
  }

 private:
  size_t features_;
  std::vector<double> values_;
};

std::shared_ptr<const Model> Load(const Json&, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  const auto values = file.Get<double>(prefix + "values");
  CheckModel(values.size() == outputs, "the constant prediction has a wrong size");
  return MakeConstantModel(features, ToVector(values));
}

const bool registered = ModelKinds().Add("constant", {"always the same prediction", Load});

}  // namespace

std::shared_ptr<const Model> MakeConstantModel(size_t features, std::vector<double> values) {
  CheckModel(!values.empty() && AllFinite(values), "the constant prediction is empty or not finite");
  return std::make_shared<ConstantModel>(features, std::move(values));
}

}  // namespace everlearn
