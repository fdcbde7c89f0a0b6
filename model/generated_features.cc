// Arrays of the file: `kinds` (U8), `a`, `b` (U32), `means` (F64), one a feature; `group_begin` (U64, of each in `group_means` (F64)). The
// inner model is the parameter `inner`, its arrays begin with `inner.`.
#include "model/generated_features.h"

#include <cmath>
#include <limits>

#include "model/check.h"
#include "model/extending.h"
#include "model/nested.h"

namespace everlearn {
namespace {

class GeneratedFeaturesModel final : public ExtendingModel {
 public:
  explicit GeneratedFeaturesModel(GeneratedFeaturesParameters parameters)
      : ExtendingModel(parameters.features, std::move(parameters.inner)), generated_(std::move(parameters.generated)) {}

  std::string_view kind() const override { return "generated_features"; }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    std::vector<uint8_t> kinds;
    std::vector<uint32_t> a, b;
    std::vector<uint64_t> group_begin{0};
    std::vector<double> means, group_means;
    for (const GeneratedFeature& feature : generated_) {
      kinds.push_back(feature.kind);
      a.push_back(feature.a);
      b.push_back(feature.b);
      means.push_back(feature.mean);
      group_means.insert(group_means.end(), feature.group_means.begin(), feature.group_means.end());
      group_begin.push_back(group_means.size());
    }
    file->Add(prefix + "kinds", std::span<const uint8_t>(kinds));
    file->Add(prefix + "a", std::span<const uint32_t>(a));
    file->Add(prefix + "b", std::span<const uint32_t>(b));
    file->Add(prefix + "means", std::span<const double>(means));
    file->Add(prefix + "group_begin", std::span<const uint64_t>(group_begin));
    file->Add(prefix + "group_means", std::span<const double>(group_means));
    return JsonObject{{"inner", SaveModel(inner(), prefix + "inner.", file)}};
  }

 private:
  void Append(const double* row, double* out) const override {
    for (const GeneratedFeature& feature : generated_) *out++ = feature.Of(row);
  }

  std::vector<GeneratedFeature> generated_;
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  GeneratedFeaturesParameters parameters;
  parameters.features = features;
  const auto kinds = file.Get<uint8_t>(prefix + "kinds");
  const auto a = file.Get<uint32_t>(prefix + "a"), b = file.Get<uint32_t>(prefix + "b");
  const auto means = file.Get<double>(prefix + "means"), group_means = file.Get<double>(prefix + "group_means");
  const auto group_begin = file.Get<uint64_t>(prefix + "group_begin");
  CheckModel(a.size() == kinds.size() && b.size() == kinds.size() && means.size() == kinds.size() &&
                 group_begin.size() == kinds.size() + 1 && group_begin.front() == 0 && group_begin.back() == group_means.size() &&
                 std::is_sorted(group_begin.begin(), group_begin.end()),
             "the arrays of the generated features do not fit");
  for (size_t i = 0; i < kinds.size(); ++i) {
    CheckModel(kinds[i] <= GeneratedFeature::kFromGroupMean, "a generated feature is of no known kind");
    parameters.generated.push_back({static_cast<GeneratedFeature::Kind>(kinds[i]), a[i], b[i],
                                    ToVector(group_means.subspan(group_begin[i], group_begin[i + 1] - group_begin[i])), means[i]});
  }
  parameters.inner = LoadModel(Field(json, "inner"), prefix + "inner.", file, features + kinds.size(), outputs);
  return MakeGeneratedFeatures(std::move(parameters));
}

const bool registered = ModelKinds().Add("generated_features", {"features made from others before another model", Load});

}  // namespace

double GeneratedFeature::Of(const double* row) const {
  const double x = row[a], y = row[b];
  double made = 0;
  switch (kind) {
    case kSum:
      made = x + y;
      break;
    case kDifference:
      made = x - y;
      break;
    case kProduct:
      made = x * y;
      break;
    case kRatio:
      made = x / y;
      break;
    case kFromGroupMean:
      made = x - (y >= 0 && y < static_cast<double>(group_means.size()) ? group_means[static_cast<size_t>(y)] : mean);
      break;
  }
  return std::isfinite(made) ? made : std::numeric_limits<double>::quiet_NaN();
}

std::shared_ptr<const Model> MakeGeneratedFeatures(GeneratedFeaturesParameters parameters) {
  for (const GeneratedFeature& feature : parameters.generated) {
    CheckModel(feature.a < parameters.features && feature.b < parameters.features, "a generated feature is of one that is not there");
    CheckModel(std::isfinite(feature.mean) && AllFinite(feature.group_means), "a mean of a generated feature is not finite");
  }
  CheckModel(parameters.inner != nullptr && parameters.inner->features() == parameters.features + parameters.generated.size(),
             "the model behind the generated features has a wrong number of features");
  return std::make_shared<GeneratedFeaturesModel>(std::move(parameters));
}

}  // namespace everlearn
