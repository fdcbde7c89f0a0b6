// Arrays of the file: `category` (U8), `mean`, `scale` (F64) and `begin` (U64) as in LinearColumns; `bias` (F64) and `weights` (F64,
// columns × scores).
#include "model/linear.h"

#include "model/check.h"

namespace everlearn {
namespace {

class LinearModel final : public Model {
 public:
  explicit LinearModel(LinearParameters parameters) : parameters_(std::move(parameters)) {}
  std::string_view kind() const override { return "linear"; }
  size_t features() const override { return parameters_.columns.is_category.size(); }
  size_t outputs() const override { return parameters_.outputs; }

  void PredictRow(const double* row, double* out) const override {
    const size_t scores = parameters_.bias.size();
    std::copy(parameters_.bias.begin(), parameters_.bias.end(), out);  // there are at least as many outputs as scores
    const double* weights = parameters_.weights.data();
    ForEachLinearColumn(parameters_.columns, row, [&](uint64_t column, double value) {
      for (size_t k = 0; k < scores; ++k) out[k] += value * weights[column * scores + k];
    });
    ApplyLink(parameters_.link, out, outputs(), 1.0, out);
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    const LinearColumns& columns = parameters_.columns;
    file->Add(prefix + "category", std::span(columns.is_category));
    file->Add(prefix + "mean", std::span(columns.mean));
    file->Add(prefix + "scale", std::span(columns.scale));
    file->Add(prefix + "begin", std::span(columns.begin));
    file->Add(prefix + "bias", std::span(parameters_.bias));
    file->Add(prefix + "weights", std::span(parameters_.weights), {columns.columns(), parameters_.bias.size()});
    return JsonObject{{"link", LinkName(parameters_.link)}};
  }

 private:
  LinearParameters parameters_;
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  LinearParameters parameters;
  parameters.columns.is_category = ToVector(file.Get<uint8_t>(prefix + "category"));
  parameters.columns.mean = ToVector(file.Get<double>(prefix + "mean"));
  parameters.columns.scale = ToVector(file.Get<double>(prefix + "scale"));
  parameters.columns.begin = ToVector(file.Get<uint64_t>(prefix + "begin"));
  parameters.outputs = outputs;
  parameters.link = ParseLink(TextField(json, "link"));
  parameters.bias = ToVector(file.Get<double>(prefix + "bias"));
  parameters.weights = ToVector(file.Get<double>(prefix + "weights"));
  CheckModel(parameters.columns.is_category.size() == features, "the linear model has a wrong number of features");
  return MakeLinearModel(std::move(parameters));
}

const bool registered = ModelKinds().Add("linear", {"generalised linear model on standardised numbers and category weights", Load});

}  // namespace

LinearColumns MakeLinearColumns(const std::vector<bool>& is_category, const std::vector<size_t>& dictionary_sizes, std::vector<double> mean,
                                std::vector<double> scale) {
  LinearColumns columns;
  columns.is_category.assign(is_category.begin(), is_category.end());
  columns.mean = std::move(mean);
  columns.scale = std::move(scale);
  columns.begin = {0};
  for (size_t j = 0; j < is_category.size(); ++j)
    columns.begin.push_back(columns.begin.back() + (is_category[j] ? dictionary_sizes[j] + 1 : 2));
  return columns;
}

std::shared_ptr<const Model> MakeLinearModel(LinearParameters parameters) {
  const LinearColumns& columns = parameters.columns;
  const size_t features = columns.is_category.size();
  CheckModel(columns.mean.size() == features && columns.scale.size() == features && columns.begin.size() == features + 1,
             "the arrays of the linear model differ in length");
  CheckModel(columns.begin[0] == 0, "the columns of the linear model do not begin at 0");
  for (size_t j = 0; j < features; ++j) {
    const bool wide = columns.begin[j + 1] > columns.begin[j];
    const uint64_t width = columns.begin[j + 1] - columns.begin[j];
    CheckModel(wide && (columns.is_category[j] || width == 2), "a feature of the linear model has a wrong number of columns");
    CheckModel(std::isfinite(columns.mean[j]) && std::isfinite(columns.scale[j]) && columns.scale[j] != 0,
               "a mean or scale of the linear model is not finite");
  }
  const size_t scores = LinkScores(parameters.link, parameters.outputs);
  CheckModel(parameters.bias.size() == scores && parameters.weights.size() % scores == 0 &&
                 parameters.weights.size() / scores == columns.columns(),
             "the linear model has a wrong number of weights");
  CheckModel(AllFinite(parameters.bias) && AllFinite(parameters.weights), "a weight of the linear model is not finite");
  return std::make_shared<LinearModel>(std::move(parameters));
}

}  // namespace everlearn
