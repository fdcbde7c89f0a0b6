// Arrays of the file: `category` (U8), `mean`, `scale` (F64) and `begin` (U64) as in LinearColumns; `bias` (F64) and `weights` (F64,
// columns × scores). Where there are knots or crosses: `knots` (F64), `knots_begin` (U64), `cross_first` and `cross_second` (U32).
#include "model/linear.h"

#include "model/check.h"

namespace everlearn {
namespace {

constexpr uint64_t kMostLevels = uint64_t{1} << 31;

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
    JsonObject json{{"link", LinkName(parameters_.link)}};
    if (!columns.knots_begin.empty() || !columns.cross_first.empty()) {
      json["expanded"] = true;
      file->Add(prefix + "knots", std::span(columns.knots));
      file->Add(prefix + "knots_begin", std::span(columns.knots_begin));
      file->Add(prefix + "cross_first", std::span(columns.cross_first));
      file->Add(prefix + "cross_second", std::span(columns.cross_second));
    }
    return json;
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
  if (json.as_object().contains("expanded")) {
    parameters.columns.knots = ToVector(file.Get<double>(prefix + "knots"));
    parameters.columns.knots_begin = ToVector(file.Get<uint64_t>(prefix + "knots_begin"));
    parameters.columns.cross_first = ToVector(file.Get<uint32_t>(prefix + "cross_first"));
    parameters.columns.cross_second = ToVector(file.Get<uint32_t>(prefix + "cross_second"));
  }
  parameters.bias = ToVector(file.Get<double>(prefix + "bias"));
  parameters.weights = ToVector(file.Get<double>(prefix + "weights"));
  CheckModel(parameters.columns.is_category.size() == features, "the linear model has a wrong number of features");
  return MakeLinearModel(std::move(parameters));
}

void CheckKnots(const LinearColumns& columns) {
  if (columns.knots_begin.empty()) {
    CheckModel(columns.knots.empty(), "the knots of the linear model are of no feature");
    return;
  }
  const std::vector<uint64_t>& begin = columns.knots_begin;
  CheckModel(begin.size() == columns.is_category.size() + 1 && begin.front() == 0 && begin.back() == columns.knots.size() &&
                 std::is_sorted(begin.begin(), begin.end()) && AllFinite(columns.knots),
             "the knots of the linear model are wrong");
  for (size_t j = 0; j + 1 < begin.size(); ++j) {
    for (uint64_t k = begin[j] + 1; k < begin[j + 1]; ++k) {
      CheckModel(columns.knots[k] > columns.knots[k - 1], "the knots of the linear model do not ascend");
    }
  }
}

void CheckCrosses(const LinearColumns& columns) {
  const size_t features = columns.is_category.size();
  CheckModel(columns.cross_first.size() == columns.cross_second.size(), "a cross of the linear model lacks a category");
  for (size_t c = 0; c < columns.cross_first.size(); ++c) {
    const uint32_t first = columns.cross_first[c], second = columns.cross_second[c];
    CheckModel(first < features && second < features && columns.is_category[first] && columns.is_category[second],
               "a cross of the linear model is not of categories");
    const uint64_t a = columns.begin[first + 1] - columns.begin[first], b = columns.begin[second + 1] - columns.begin[second];
    CheckModel(a <= kMostLevels && b <= kMostLevels && columns.begin[features + c + 1] - columns.begin[features + c] == a * b,
               "a cross of the linear model has a wrong number of columns");
  }
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

void AddKnotsAndCrosses(const std::vector<std::vector<double>>& knots, const std::vector<std::pair<uint32_t, uint32_t>>& crosses,
                        LinearColumns* columns) {
  std::vector<uint64_t> begin{0};
  columns->knots_begin = {0};
  for (size_t j = 0; j < knots.size(); ++j) {
    columns->knots.insert(columns->knots.end(), knots[j].begin(), knots[j].end());
    columns->knots_begin.push_back(columns->knots.size());
    begin.push_back(begin.back() + columns->begin[j + 1] - columns->begin[j] + (knots[j].empty() ? 0 : knots[j].size() - 1));
  }
  for (const auto& [first, second] : crosses) {
    columns->cross_first.push_back(first);
    columns->cross_second.push_back(second);
    begin.push_back(begin.back() + (begin[first + 1] - begin[first]) * (begin[second + 1] - begin[second]));
  }
  columns->begin = std::move(begin);
}

std::shared_ptr<const Model> MakeLinearModel(LinearParameters parameters) {
  const LinearColumns& columns = parameters.columns;
  const size_t features = columns.is_category.size();
  CheckModel(columns.mean.size() == features && columns.scale.size() == features &&
                 columns.begin.size() == features + columns.cross_first.size() + 1,
             "the arrays of the linear model differ in length");
  CheckModel(columns.begin[0] == 0 && std::is_sorted(columns.begin.begin(), columns.begin.end()),
             "the columns of the linear model do not begin at 0 or do not ascend");
  CheckKnots(columns);
  for (size_t j = 0; j < features; ++j) {
    const bool wide = columns.begin[j + 1] > columns.begin[j];
    const uint64_t width = columns.begin[j + 1] - columns.begin[j];
    const uint64_t knots = columns.knots_begin.empty() ? 0 : columns.knots_begin[j + 1] - columns.knots_begin[j];
    const uint64_t stretches = knots == 0 ? 0 : knots - 1;
    CheckModel(wide && (columns.is_category[j] ? knots == 0 : width == 2 + stretches),
               "a feature of the linear model has a wrong number of columns");
    CheckModel(std::isfinite(columns.mean[j]) && std::isfinite(columns.scale[j]) && columns.scale[j] != 0,
               "a mean or scale of the linear model is not finite");
  }
  CheckCrosses(columns);
  const size_t scores = LinkScores(parameters.link, parameters.outputs);
  CheckModel(parameters.bias.size() == scores && parameters.weights.size() % scores == 0 &&
                 parameters.weights.size() / scores == columns.columns(),
             "the linear model has a wrong number of weights");
  CheckModel(AllFinite(parameters.bias) && AllFinite(parameters.weights), "a weight of the linear model is not finite");
  return std::make_shared<LinearModel>(std::move(parameters));
}

}  // namespace everlearn
