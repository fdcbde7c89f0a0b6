// Arrays of the file: those of trees, `range_low`, `range_high`, `constants` (F64), `term_offsets` (U64), `term_features` (U32) and
// `coefficients` (F64), as in LinearLeaves.
#include "model/linear_trees.h"

#include <algorithm>

#include "model/check.h"
#include "model/tree_inputs.h"

namespace everlearn {
namespace {

class LinearTreesModel final : public Model {
 public:
  LinearTreesModel(TreesParameters trees, LinearLeaves linear)
      : trees_(std::move(trees)),
        linear_(std::move(linear)),
        scores_(LinkScores(trees_.link, trees_.outputs)),
        inputs_(MakeTreeInputs(trees_)) {}

  std::string_view kind() const override { return "linear_trees"; }
  size_t features() const override { return trees_.features; }
  size_t outputs() const override { return trees_.outputs; }
  void PredictRow(const double* row, double* out) const override;
  Json Save(const std::string& prefix, ArrayFileWriter* file) const override;

 private:
  size_t LeafOf(const double* row, size_t leaves, size_t first_split) const;
  double LeafOutput(size_t leaf, const double* row) const;

  TreesParameters trees_;
  LinearLeaves linear_;
  size_t scores_;
  TreeInputs inputs_;
};

size_t LinearTreesModel::LeafOf(const double* row, size_t leaves, size_t first_split) const {
  int32_t at = leaves == 1 ? ~0 : 0;
  while (at >= 0) {
    const size_t split = first_split + static_cast<size_t>(at);
    const TreeInput& input = inputs_.inputs[inputs_.of_split[split]];
    const double value = InputValue(input.rule, row[input.feature]), threshold = trees_.threshold[split];
    const bool right = input.rule == InputRule::kCategory
                           ? !InCategorySet(trees_, static_cast<size_t>(threshold), static_cast<uint32_t>(value))
                           : value > InputThreshold(threshold);
    at = right ? trees_.right[split] : trees_.left[split];
  }
  return static_cast<size_t>(~at);
}

double LinearTreesModel::LeafOutput(size_t leaf, const double* row) const {
  double sum = linear_.constants[leaf];
  for (uint64_t t = linear_.offsets[leaf]; t < linear_.offsets[leaf + 1]; ++t) {
    const uint32_t feature = linear_.term_features[t];
    const double place = linear_.ranges.Place(feature, row[feature]);
    if (std::isnan(place)) return trees_.leaf_values[leaf];
    sum += linear_.coefficients[t] * place;
  }
  return sum;
}

void LinearTreesModel::PredictRow(const double* row, double* out) const {
  std::fill_n(out, scores_, 0.0);  // there are at least as many outputs as scores
  size_t split = 0, leaf = 0, score = 0;
  for (const uint32_t leaves : trees_.leaves) {
    out[score] += LeafOutput(leaf + LeafOf(row, leaves, split), row);
    split += leaves - 1;
    leaf += leaves;
    if (++score == scores_) score = 0;
  }
  if (trees_.average) {
    for (size_t k = 0; k < scores_; ++k) out[k] /= static_cast<double>(trees_.leaves.size() / scores_);
  }
  ApplyLink(trees_.link, out, trees_.outputs, trees_.sigmoid_scale, out);
}

Json LinearTreesModel::Save(const std::string& prefix, ArrayFileWriter* file) const {
  file->Add(prefix + "range_low", std::span(linear_.ranges.low));
  file->Add(prefix + "range_high", std::span(linear_.ranges.high));
  file->Add(prefix + "constants", std::span(linear_.constants));
  file->Add(prefix + "term_offsets", std::span(linear_.offsets));
  file->Add(prefix + "term_features", std::span(linear_.term_features));
  file->Add(prefix + "coefficients", std::span(linear_.coefficients));
  return SaveTrees(trees_, prefix, file);
}

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  LinearLeaves linear;
  linear.ranges.low = ToVector(file.Get<double>(prefix + "range_low"));
  linear.ranges.high = ToVector(file.Get<double>(prefix + "range_high"));
  linear.constants = ToVector(file.Get<double>(prefix + "constants"));
  linear.offsets = ToVector(file.Get<uint64_t>(prefix + "term_offsets"));
  linear.term_features = ToVector(file.Get<uint32_t>(prefix + "term_features"));
  linear.coefficients = ToVector(file.Get<double>(prefix + "coefficients"));
  return MakeLinearTrees(LoadTrees(json, prefix, file, features, outputs), std::move(linear));
}

const bool registered = ModelKinds().Add("linear_trees", {"ensemble of decision trees with linear leaves: gradient boosting", Load});

}  // namespace

double ColumnRanges::Place(size_t feature, double x) const {
  // Halves first: the width of a range of finite numbers may be infinite.
  const double centre = low[feature] / 2 + high[feature] / 2, half = high[feature] / 2 - low[feature] / 2;
  if (std::isnan(x)) return x;
  return half > 0 ? std::clamp((std::clamp(x, low[feature], high[feature]) - centre) / half, -1.0, 1.0) : 0;
}

double ColumnRanges::NumberAt(size_t feature, double place) const {
  return (low[feature] / 2 + high[feature] / 2) + place * (high[feature] / 2 - low[feature] / 2);
}

std::shared_ptr<const Model> MakeLinearTrees(TreesParameters trees, LinearLeaves linear) {
  CheckTrees(trees);
  CheckModel(trees.leaf_width == 1, "a linear leaf has several values");
  const size_t leaves = trees.leaf_values.size();
  const std::vector<double>&low = linear.ranges.low, &high = linear.ranges.high;
  CheckModel(low.size() == trees.features && high.size() == trees.features && AllFinite(low) && AllFinite(high),
             "the ranges of features are wrong");
  CheckModel(std::equal(low.begin(), low.end(), high.begin(), std::less_equal<>()), "the range of a feature is upside down");
  CheckModel(linear.constants.size() == leaves && AllFinite(linear.constants), "the constants of linear leaves are wrong");
  CheckModel(linear.offsets.size() == leaves + 1 && linear.offsets.front() == 0 && linear.offsets.back() == linear.term_features.size() &&
                 std::is_sorted(linear.offsets.begin(), linear.offsets.end()),
             "the terms of leaves have wrong offsets");
  CheckModel(linear.coefficients.size() == linear.term_features.size() && AllFinite(linear.coefficients), "the terms of leaves are wrong");
  CheckModel(std::all_of(linear.term_features.begin(), linear.term_features.end(), [&](uint32_t f) { return f < trees.features; }),
             "a leaf is linear in a feature that is not there");
  return std::make_shared<LinearTreesModel>(std::move(trees), std::move(linear));
}

}  // namespace everlearn
