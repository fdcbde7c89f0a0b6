// Arrays of the file, all codings or groups one after another: `coding_features` (U32), `coding_sizes` (U64), `coding_begin` (U64, of each
// in `coding_numbers` (F64)), `group_begin` (U64, of each in `group_codings` (U32)), `key_begin` (U64, of each in `keys` (U64)), `widths`
// (U32), `values` and `unseen` (F64). The inner model is the parameter `inner`, its
// arrays begin with `inner.`.
#include "model/target_statistics.h"

#include <limits>

#include "base/random.h"
#include "model/check.h"
#include "model/extending.h"
#include "model/nested.h"

namespace everlearn {
namespace {

constexpr uint32_t kEmpty = std::numeric_limits<uint32_t>::max();

// Places of the keys of one group, by open addressing.
class KeyIndex {
 public:
  explicit KeyIndex(std::span<const uint64_t> keys) {
    size_t size = 4;
    while (size < 2 * keys.size()) size *= 2;
    mask_ = size - 1;
    places_.assign(size, kEmpty);
    for (uint32_t i = 0; i < keys.size(); ++i) {
      size_t at = MixBits(keys[i]) & mask_;
      while (places_[at] != kEmpty) at = (at + 1) & mask_;
      places_[at] = i;
    }
  }
  uint32_t Find(std::span<const uint64_t> keys, uint64_t key) const {
    size_t at = MixBits(key) & mask_;
    while (places_[at] != kEmpty && keys[places_[at]] != key) at = (at + 1) & mask_;
    return places_[at];
  }

 private:
  size_t mask_ = 0;
  std::vector<uint32_t> places_;
};

class TargetStatisticsModel final : public ExtendingModel {
 public:
  explicit TargetStatisticsModel(TargetStatisticsParameters parameters)
      : ExtendingModel(parameters.features, parameters.inner), parameters_(std::move(parameters)) {
    for (const StatisticsGroup& group : parameters_.groups) indices_.emplace_back(group.keys);
  }

  std::string_view kind() const override { return "target_statistics"; }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override;

 private:
  void Append(const double* row, double* out) const override {
    for (size_t g = 0; g < parameters_.groups.size(); ++g) {
      const StatisticsGroup& group = parameters_.groups[g];
      const size_t width = group.unseen.size();
      const uint32_t place = indices_[g].Find(group.keys, GroupKey(parameters_.codings, group.codings, row));
      out = std::copy_n(place == kEmpty ? group.unseen.data() : group.values.data() + place * width, width, out);
    }
  }

  TargetStatisticsParameters parameters_;
  std::vector<KeyIndex> indices_;
};

Json TargetStatisticsModel::Save(const std::string& prefix, ArrayFileWriter* file) const {
  std::vector<uint32_t> coding_features, group_codings, widths;
  std::vector<uint64_t> coding_sizes, coding_begin{0}, group_begin{0}, key_begin{0}, keys;
  std::vector<double> coding_numbers, values, unseen;
  const auto append = [](auto* all, const auto& part) { all->insert(all->end(), part.begin(), part.end()); };
  for (const FeatureCoding& coding : parameters_.codings) {
    coding_features.push_back(coding.feature);
    coding_sizes.push_back(coding.size);
    append(&coding_numbers, coding.numbers);
    coding_begin.push_back(coding_numbers.size());
  }
  for (const StatisticsGroup& group : parameters_.groups) {
    append(&group_codings, group.codings);
    group_begin.push_back(group_codings.size());
    append(&keys, group.keys);
    key_begin.push_back(keys.size());
    widths.push_back(static_cast<uint32_t>(group.unseen.size()));
    append(&values, group.values);
    append(&unseen, group.unseen);
  }
  file->Add(prefix + "coding_features", std::span<const uint32_t>(coding_features));
  file->Add(prefix + "coding_sizes", std::span<const uint64_t>(coding_sizes));
  file->Add(prefix + "coding_begin", std::span<const uint64_t>(coding_begin));
  file->Add(prefix + "coding_numbers", std::span<const double>(coding_numbers));
  file->Add(prefix + "group_begin", std::span<const uint64_t>(group_begin));
  file->Add(prefix + "group_codings", std::span<const uint32_t>(group_codings));
  file->Add(prefix + "key_begin", std::span<const uint64_t>(key_begin));
  file->Add(prefix + "keys", std::span<const uint64_t>(keys));
  file->Add(prefix + "widths", std::span<const uint32_t>(widths));
  file->Add(prefix + "values", std::span<const double>(values));
  file->Add(prefix + "unseen", std::span<const double>(unseen));
  return JsonObject{{"inner", SaveModel(inner(), prefix + "inner.", file)}};
}

// Parts [begin[i], begin[i + 1]) of `all`; throws kDamaged where they are not parts of it.
template <typename T>
std::vector<std::vector<T>> Parts(std::span<const uint64_t> begin, std::span<const T> all) {
  CheckModel(!begin.empty() && begin.front() == 0 && begin.back() == all.size() && std::is_sorted(begin.begin(), begin.end()),
             "the arrays of the target statistics do not fit");
  std::vector<std::vector<T>> parts;
  for (size_t i = 0; i + 1 < begin.size(); ++i) parts.push_back(ToVector(all.subspan(begin[i], begin[i + 1] - begin[i])));
  return parts;
}

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  TargetStatisticsParameters parameters;
  parameters.features = features;
  const auto coding_features = file.Get<uint32_t>(prefix + "coding_features");
  const auto coding_sizes = file.Get<uint64_t>(prefix + "coding_sizes");
  auto numbers = Parts(file.Get<uint64_t>(prefix + "coding_begin"), file.Get<double>(prefix + "coding_numbers"));
  CheckModel(coding_features.size() == numbers.size() && coding_sizes.size() == numbers.size(), "the codings of features do not fit");
  for (size_t i = 0; i < numbers.size(); ++i) parameters.codings.push_back({coding_features[i], coding_sizes[i], std::move(numbers[i])});

  auto codings = Parts(file.Get<uint64_t>(prefix + "group_begin"), file.Get<uint32_t>(prefix + "group_codings"));
  auto keys = Parts(file.Get<uint64_t>(prefix + "key_begin"), file.Get<uint64_t>(prefix + "keys"));
  const auto widths = file.Get<uint32_t>(prefix + "widths");
  CheckModel(keys.size() == codings.size() && widths.size() == codings.size(), "the groups of the target statistics do not fit");
  const auto values = file.Get<double>(prefix + "values"), unseen = file.Get<double>(prefix + "unseen");
  size_t value = 0, width = 0;
  for (size_t g = 0; g < codings.size(); ++g) {
    CheckModel(widths[g] <= unseen.size() - width && (widths[g] == 0 || keys[g].size() <= (values.size() - value) / widths[g]),
               "the target statistics have too few values");
    const size_t count = keys[g].size() * widths[g];
    parameters.groups.push_back(
        {std::move(codings[g]), std::move(keys[g]), ToVector(values.subspan(value, count)), ToVector(unseen.subspan(width, widths[g]))});
    value += count;
    width += widths[g];
  }
  CheckModel(value == values.size() && width == unseen.size(), "the target statistics have too many values");
  parameters.inner = LoadModel(Field(json, "inner"), prefix + "inner.", file, features + width, outputs);
  return MakeTargetStatistics(std::move(parameters));
}

const bool registered =
    ModelKinds().Add("target_statistics", {"target statistics of categories and their combinations before another model", Load});

}  // namespace

uint64_t FeatureCoding::Code(double x) const {
  if (std::isnan(x)) return size;
  if (numbers.empty()) return x >= 0 && x < static_cast<double>(size) ? static_cast<uint64_t>(x) : size + 1;
  const auto found = std::lower_bound(numbers.begin(), numbers.end(), x);
  return found != numbers.end() && *found == x ? static_cast<uint64_t>(found - numbers.begin()) : size + 1;
}

uint64_t GroupKey(std::span<const FeatureCoding> codings, std::span<const uint32_t> group, const double* row) {
  uint64_t key = 0;
  for (const uint32_t c : group) key = key * codings[c].radix() + codings[c].Code(row[codings[c].feature]);
  return key;
}

bool KeysFit(std::span<const FeatureCoding> codings, std::span<const uint32_t> group) {
  double product = 1;
  for (const uint32_t c : group) product *= static_cast<double>(codings[c].radix());
  return product < 0x1p63;
}

std::shared_ptr<const Model> MakeTargetStatistics(TargetStatisticsParameters parameters) {
  for (const FeatureCoding& coding : parameters.codings) {
    CheckModel(coding.feature < parameters.features, "a coding is of a feature that is not there");
    CheckModel(coding.size < uint64_t{1} << 32 && (coding.numbers.empty() || coding.numbers.size() == coding.size),
               "the size of a coding is wrong");
    CheckModel(AllFinite(coding.numbers) &&
                   std::adjacent_find(coding.numbers.begin(), coding.numbers.end(), std::greater_equal<>()) == coding.numbers.end(),
               "the numbers of a coding do not ascend");
  }
  size_t width = 0;
  for (const StatisticsGroup& group : parameters.groups) {
    CheckModel(!group.codings.empty() && group.codings.size() <= kMostGroupFeatures, "a group has a wrong number of features");
    for (const uint32_t c : group.codings) CheckModel(c < parameters.codings.size(), "a group has a feature that is not coded");
    CheckModel(KeysFit(parameters.codings, group.codings), "the keys of a group are too large");
    CheckModel(group.keys.size() < kEmpty && group.values.size() == group.keys.size() * group.unseen.size(),
               "a group has a wrong number of values");
    CheckModel(std::adjacent_find(group.keys.begin(), group.keys.end(), std::greater_equal<>()) == group.keys.end(),
               "the keys of a group do not ascend");
    CheckModel(AllFinite(group.values) && AllFinite(group.unseen), "a target statistic is not finite");
    width += group.unseen.size();
  }
  CheckModel(parameters.inner != nullptr && parameters.inner->features() == parameters.features + width,
             "the model behind the target statistics has a wrong number of features");
  return std::make_shared<TargetStatisticsModel>(std::move(parameters));
}

}  // namespace everlearn
