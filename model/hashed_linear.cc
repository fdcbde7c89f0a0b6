// Arrays of the file: `category` (U8), `mean`, `scale` (F64), `bias` (F64), `indices` (U32) and `weights` (F64, indices × scores).
//
// Weights stay sparse in memory too, so that a small file never asks for a large table: the top bits of an index lead to the few stored
// indices that share them.
#include "model/hashed_linear.h"

#include <bit>

#include "model/check.h"

namespace everlearn {
namespace {

class HashedLinearModel final : public Model {
 public:
  explicit HashedLinearModel(HashedLinearParameters parameters) : parameters_(std::move(parameters)) {
    const std::vector<uint32_t>& indices = parameters_.indices;
    const int bucket_bits = std::min(parameters_.features.bits, static_cast<int>(std::bit_width(indices.size())));
    shift_ = parameters_.features.bits - bucket_bits;
    bucket_begin_.resize((size_t{1} << bucket_bits) + 1);
    for (const uint32_t index : indices) ++bucket_begin_[(index >> shift_) + 1];
    for (size_t b = 1; b < bucket_begin_.size(); ++b) bucket_begin_[b] += bucket_begin_[b - 1];
  }

  std::string_view kind() const override { return "hashed_linear"; }
  size_t features() const override { return parameters_.features.is_category.size(); }
  size_t outputs() const override { return parameters_.outputs; }

  void PredictRow(const double* row, double* out) const override {
    const size_t scores = parameters_.bias.size();
    std::copy(parameters_.bias.begin(), parameters_.bias.end(), out);  // there are at least as many outputs as scores
    const auto add = [&](uint32_t place, double value) {
      const double* weights = Find(place);
      if (weights == nullptr) return;
      for (size_t k = 0; k < scores; ++k) out[k] += value * weights[k];
    };
    const HashedFeatures& table = parameters_.features;
    thread_local std::vector<HashedValue> crossed;
    crossed.clear();
    ForEachHashed(table, row, [&](const HashedValue& value) {
      add(PlaceOf(value.hash, table.mask()), value.value);
      if (parameters_.most_crosses > 0 && value.value != 0) crossed.push_back(value);
    });
    KeepCrossed(parameters_.most_crosses, &crossed);
    ForEachCross(crossed, table.bits, add);
    ApplyLink(parameters_.link, out, outputs(), 1.0, out);
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    const HashedFeatures& features = parameters_.features;
    file->Add(prefix + "category", std::span(features.is_category));
    file->Add(prefix + "mean", std::span(features.mean));
    file->Add(prefix + "scale", std::span(features.scale));
    file->Add(prefix + "bias", std::span(parameters_.bias));
    file->Add(prefix + "indices", std::span(parameters_.indices));
    file->Add(prefix + "weights", std::span(parameters_.weights), {parameters_.indices.size(), parameters_.bias.size()});
    return JsonObject{{"link", LinkName(parameters_.link)},
                      {"bits", features.bits},
                      {"limit", features.limit},
                      {"crosses", static_cast<int64_t>(parameters_.most_crosses)}};
  }

 private:
  // The weights of an index, or nullptr where they are 0.
  const double* Find(uint32_t index) const {
    const auto begin = parameters_.indices.begin();
    const size_t bucket = index >> shift_;
    const auto last = begin + bucket_begin_[bucket + 1];
    const auto found = std::lower_bound(begin + bucket_begin_[bucket], last, index);
    if (found == last || *found != index) return nullptr;
    return parameters_.weights.data() + static_cast<size_t>(found - begin) * parameters_.bias.size();
  }

  HashedLinearParameters parameters_;
  int shift_ = 0;
  std::vector<uint32_t> bucket_begin_;  // of each value of the top bits, its first place in `indices`
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  HashedLinearParameters parameters;
  parameters.features.is_category = ToVector(file.Get<uint8_t>(prefix + "category"));
  parameters.features.mean = ToVector(file.Get<double>(prefix + "mean"));
  parameters.features.scale = ToVector(file.Get<double>(prefix + "scale"));
  parameters.features.limit = NumberField(json, "limit");
  const int64_t bits = IntegerField(json, "bits");
  CheckModel(bits >= 1 && bits <= kMaxHashedBits, "the hashed linear model has a wrong number of bits");
  parameters.features.bits = static_cast<int>(bits);
  if (json.as_object().contains("crosses")) {  // older models have none
    const int64_t crosses = IntegerField(json, "crosses");
    CheckModel(crosses >= 0, "the hashed linear model has a wrong number of crosses");
    parameters.most_crosses = static_cast<size_t>(crosses);
  }
  parameters.outputs = outputs;
  parameters.link = ParseLink(TextField(json, "link"));
  parameters.bias = ToVector(file.Get<double>(prefix + "bias"));
  parameters.indices = ToVector(file.Get<uint32_t>(prefix + "indices"));
  parameters.weights = ToVector(file.Get<double>(prefix + "weights"));
  CheckModel(parameters.features.is_category.size() == features, "the hashed linear model has a wrong number of features");
  return MakeHashedLinearModel(std::move(parameters));
}

const bool registered = ModelKinds().Add("hashed_linear", {"linear model over hashed features, as online learners keep it", Load});

}  // namespace

void KeepCrossed(size_t most_crosses, std::vector<HashedValue>* values) {
  // n numbers have n(n + 1)/2 crosses.
  const auto most = static_cast<size_t>((std::sqrt(8 * static_cast<double>(most_crosses) + 1) - 1) / 2);
  if (values->size() <= most) return;
  std::nth_element(values->begin(), values->begin() + static_cast<ptrdiff_t>(most), values->end(),
                   [](const HashedValue& a, const HashedValue& b) { return a.hash < b.hash; });
  values->resize(most);
}

std::shared_ptr<const Model> MakeHashedLinearModel(HashedLinearParameters parameters) {
  const HashedFeatures& features = parameters.features;
  const size_t count = features.is_category.size();
  CheckModel(features.bits >= 1 && features.bits <= kMaxHashedBits, "the hashed linear model has a wrong number of bits");
  CheckModel(features.mean.size() == count && features.scale.size() == count, "the arrays of the hashed linear model differ in length");
  CheckModel(AllFinite(features.mean) && AllFinite(features.scale) && std::isfinite(features.limit) && features.limit > 0 &&
                 std::find(features.scale.begin(), features.scale.end(), 0.0) == features.scale.end(),
             "a mean, scale or limit of the hashed linear model is wrong");
  const std::vector<uint32_t>& indices = parameters.indices;
  CheckModel(std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) == indices.end(),
             "the indices of the hashed linear model do not ascend");
  CheckModel(indices.empty() || indices.back() <= features.mask(), "an index of the hashed linear model is too large");
  const size_t scores = LinkScores(parameters.link, parameters.outputs);
  CheckModel(parameters.link != Link::kExp, "the link of the hashed linear model is wrong");
  CheckModel(
      parameters.bias.size() == scores && parameters.weights.size() % scores == 0 && parameters.weights.size() / scores == indices.size(),
      "the hashed linear model has a wrong number of weights");
  CheckModel(AllFinite(parameters.bias) && AllFinite(parameters.weights), "a weight of the hashed linear model is not finite");
  return std::make_shared<HashedLinearModel>(std::move(parameters));
}

}  // namespace everlearn
