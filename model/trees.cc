// Arrays of the file: `leaves` (U32), `left`, `right` (I32), `feature` (U32), `threshold` (F64), `flags` (U8), `leaf_values` (F64),
// `leaf_rows` (U32, where leaves share values), `category_offsets` (U64) and `category_words` (U32), all as in TreesParameters.
#include "model/trees.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "model/check.h"
#include "model/tree_blocks.h"
#include "model/tree_inputs.h"

namespace everlearn {
namespace {

constexpr size_t kLanes = 8;          // walks side by side
constexpr size_t kStackInputs = 256;  // inputs of a row that need no allocation
constexpr size_t kFewRows = 16;       // below this, row by row is faster

class TreesModel final : public Model {
 public:
  explicit TreesModel(TreesParameters parameters)
      : parameters_(std::move(parameters)),
        scores_(LinkScores(parameters_.link, parameters_.outputs)),
        inputs_(MakeTreeInputs(parameters_)),
        blocks_(parameters_, inputs_) {
    size_t split = 0, leaf = 0;
    for (const uint32_t leaves : parameters_.leaves) {
      AddTree(leaves, split, leaf);
      split += leaves - 1;
      leaf += leaves;
    }
  }

  std::string_view kind() const override { return "trees"; }
  size_t features() const override { return parameters_.features; }
  size_t outputs() const override { return parameters_.outputs; }
  void PredictRow(const double* row, double* out) const override;
  void Predict(const RowsView& rows, double* out) const override;
  Json Save(const std::string& prefix, ArrayFileWriter* file) const override;

 private:
  // Children stand side by side: right is child + 1. A leaf is its own child, and no value is above its threshold.
  struct Node {
    double threshold;  // or the number of a category set
    uint32_t input;
    uint32_t child;
  };
  struct Tree {
    uint32_t root = 0;
    uint32_t depth = 0;
    bool has_categories = false;
  };

  void AddTree(size_t leaves, size_t first_split, size_t first_leaf);
  void ReadInputs(const double* row, double* inputs) const;
  void Descend(const double* const* inputs, uint32_t depth, uint32_t* at) const;
  uint32_t Walk(const double* inputs, uint32_t at) const;
  void AddRow(const double* inputs, double* scores) const;
  void AddTreeByWalking(const Tree& tree, const double* inputs, size_t rows, double* scores) const;
  void AddLeaf(uint32_t node, double* scores) const;
  void Finish(double* scores, double* out) const;

  TreesParameters parameters_;
  size_t scores_;
  TreeInputs inputs_;
  TreeBlocks blocks_;
  std::vector<Tree> trees_;
  std::vector<Node> nodes_;
  std::vector<double> values_;  // one a node; of a leaf its value, or where its values begin
};

void TreesModel::AddTree(size_t leaves, size_t first_split, size_t first_leaf) {
  Tree tree;
  tree.root = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  values_.push_back(0.0);
  std::vector<uint32_t> place(leaves - 1, tree.root), depth(leaves - 1, 0);
  const auto put = [&](int32_t child, uint32_t at, uint32_t level) {
    if (child >= 0) {
      place[static_cast<size_t>(child)] = at;
      depth[static_cast<size_t>(child)] = level;
    } else {
      nodes_[at] = {std::numeric_limits<double>::infinity(), 0, at};
      const size_t leaf = first_leaf + static_cast<size_t>(~child);
      values_[at] =
          parameters_.leaf_width == 1
              ? parameters_.leaf_values[leaf]
              : static_cast<double>((parameters_.leaf_rows.empty() ? leaf : parameters_.leaf_rows[leaf]) * parameters_.leaf_width);
      tree.depth = std::max(tree.depth, level);
    }
  };
  if (leaves == 1) put(~0, tree.root, 0);
  for (size_t s = 0; s + 1 < leaves; ++s) {
    const size_t split = first_split + s;
    const auto child = static_cast<uint32_t>(nodes_.size());
    nodes_.resize(nodes_.size() + 2);
    values_.resize(nodes_.size());
    nodes_[place[s]] = {InputThreshold(parameters_.threshold[split]), inputs_.of_split[split], child};
    tree.has_categories |= (parameters_.flags[split] & kSplitCategories) != 0;
    put(parameters_.left[split], child, depth[s] + 1);
    put(parameters_.right[split], child + 1, depth[s] + 1);
  }
  trees_.push_back(tree);
}

void TreesModel::ReadInputs(const double* row, double* inputs) const {
  for (size_t i = 0; i < inputs_.inputs.size(); ++i) inputs[i] = InputValue(inputs_.inputs[i].rule, row[inputs_.inputs[i].feature]);
}

// Eight walks side by side, so that the processor waits for none of them; without branches, so all take the steps of the deepest.
void TreesModel::Descend(const double* const* inputs, uint32_t depth, uint32_t* at) const {
  const Node* nodes = nodes_.data();
  uint32_t here[kLanes];
  std::copy_n(at, kLanes, here);
  for (uint32_t level = 0; level < depth; ++level) {
    for (size_t k = 0; k < kLanes; ++k) {
      const Node& node = nodes[here[k]];
      here[k] = node.child + static_cast<uint32_t>(inputs[k][node.input] > node.threshold);
    }
  }
  std::copy_n(here, kLanes, at);
}

uint32_t TreesModel::Walk(const double* inputs, uint32_t at) const {
  while (nodes_[at].child != at) {
    const Node& node = nodes_[at];
    const double value = inputs[node.input];
    const bool right = inputs_.inputs[node.input].rule == InputRule::kCategory
                           ? !InCategorySet(parameters_, static_cast<size_t>(node.threshold), static_cast<uint32_t>(value))
                           : value > node.threshold;
    at = node.child + static_cast<uint32_t>(right);
  }
  return at;
}

void TreesModel::AddRow(const double* inputs, double* scores) const {
  const double* lanes[kLanes];
  std::fill_n(lanes, kLanes, inputs);
  size_t score = 0;
  for (size_t first = 0; first < trees_.size(); first += kLanes) {
    const size_t count = std::min(kLanes, trees_.size() - first);
    uint32_t at[kLanes], depth = 0;
    bool has_categories = false;
    for (size_t k = 0; k < kLanes; ++k) {
      const Tree& tree = trees_[first + std::min(k, count - 1)];
      at[k] = tree.root;
      depth = std::max(depth, tree.depth);
      has_categories |= tree.has_categories;
    }
    if (has_categories) {
      for (size_t k = 0; k < count; ++k) at[k] = Walk(inputs, at[k]);
    } else {
      Descend(lanes, depth, at);
    }
    for (size_t k = 0; k < count; ++k) {
      if (parameters_.leaf_width > 1) {
        AddLeaf(at[k], scores);
        continue;
      }
      scores[score] += values_[at[k]];
      if (++score == scores_) score = 0;
    }
  }
}

void TreesModel::AddLeaf(uint32_t node, double* scores) const {
  const double* values = parameters_.leaf_values.data() + static_cast<size_t>(values_[node]);
  for (size_t k = 0; k < scores_; ++k) scores[k] += values[k];
}

void TreesModel::AddTreeByWalking(const Tree& tree, const double* inputs, size_t rows, double* scores) const {
  const size_t width = inputs_.inputs.size();
  if (tree.has_categories) {
    for (size_t r = 0; r < rows; ++r) scores[r] += values_[Walk(inputs + r * width, tree.root)];
    return;
  }
  for (size_t first = 0; first < rows; first += kLanes) {
    const size_t count = std::min(kLanes, rows - first);
    const double* lanes[kLanes];
    uint32_t at[kLanes];
    std::fill_n(at, kLanes, tree.root);
    for (size_t k = 0; k < kLanes; ++k) lanes[k] = inputs + (first + std::min(k, count - 1)) * width;
    Descend(lanes, tree.depth, at);
    for (size_t k = 0; k < count; ++k) scores[first + k] += values_[at[k]];
  }
}

void TreesModel::Finish(double* scores, double* out) const {
  if (parameters_.average) {
    const size_t rounds = parameters_.leaf_width > 1 ? trees_.size() : trees_.size() / scores_;
    for (size_t k = 0; k < scores_; ++k) scores[k] /= static_cast<double>(rounds);
  }
  ApplyLink(parameters_.link, scores, parameters_.outputs, parameters_.sigmoid_scale, out);
}

void TreesModel::PredictRow(const double* row, double* out) const {
  double stack[kStackInputs];
  std::vector<double> heap;
  double* inputs = stack;
  if (inputs_.inputs.size() > kStackInputs) {
    heap.resize(inputs_.inputs.size());
    inputs = heap.data();
  }
  ReadInputs(row, inputs);
  std::fill_n(out, scores_, 0.0);  // there are at least as many outputs as scores
  AddRow(inputs, out);
  Finish(out, out);
}

void TreesModel::Predict(const RowsView& rows, double* out) const {
  if (rows.rows < kFewRows || parameters_.leaf_width > 1) return Model::Predict(rows, out);
  constexpr size_t kRows = TreeBlocks::kRows;
  const size_t width = inputs_.inputs.size();
  const bool walks =
      std::any_of(parameters_.leaves.begin(), parameters_.leaves.end(), [](uint32_t leaves) { return leaves > TreeBlocks::kMaxLeaves; });
  TreeBlocks::Scratch scratch = blocks_.MakeScratch();
  std::vector<double> inputs(walks ? kRows * width : 0), scores(scores_ * kRows), row_scores(scores_);
  for (size_t first = 0; first < rows.rows; first += kRows) {
    const RowsView block{rows.row(first), std::min(kRows, rows.rows - first), rows.columns};
    blocks_.Encode(block, &scratch);
    if (walks) {
      for (size_t r = 0; r < block.rows; ++r) ReadInputs(block.row(r), inputs.data() + r * width);
    }
    std::fill(scores.begin(), scores.end(), 0.0);
    for (size_t t = 0; t < trees_.size(); ++t) {
      double* tree_scores = scores.data() + t % scores_ * kRows;
      if (blocks_.Covers(t)) {
        blocks_.AddTree(t, &scratch, tree_scores);
      } else {
        AddTreeByWalking(trees_[t], inputs.data(), block.rows, tree_scores);
      }
    }
    for (size_t r = 0; r < block.rows; ++r) {
      for (size_t k = 0; k < scores_; ++k) row_scores[k] = scores[k * kRows + r];
      Finish(row_scores.data(), out + (first + r) * parameters_.outputs);
    }
  }
}

Json TreesModel::Save(const std::string& prefix, ArrayFileWriter* file) const { return SaveTrees(parameters_, prefix, file); }

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  return MakeTrees(LoadTrees(json, prefix, file, features, outputs));
}

const bool registered = ModelKinds().Add("trees", {"ensemble of decision trees: gradient boosting, random forest", Load});

void CheckSplit(const TreesParameters& parameters, size_t split) {
  CheckModel(parameters.feature[split] < parameters.features, "a split is on a feature that is not there");
  CheckModel((parameters.flags[split] & ~(kSplitCategories | kSplitDefaultLeft | kSplitMissingZero | kSplitMissingNan)) == 0 &&
                 (parameters.flags[split] >> 2 & 3) != 3,
             "a split has unknown flags");
  const double threshold = parameters.threshold[split];
  CheckModel(threshold > -std::numeric_limits<double>::infinity(), "a threshold is not a number");
  if ((parameters.flags[split] & kSplitCategories) == 0) return;
  const size_t offsets = parameters.category_offsets.size();
  CheckModel(threshold >= 0 && threshold == std::floor(threshold) && offsets > 0 && threshold < static_cast<double>(offsets - 1),
             "a split is on a set of categories that is not there");
}

// Every split but the root and every leaf is a child exactly once, and children come after their parents: so it is a tree.
void CheckTree(const TreesParameters& parameters, size_t leaves, size_t first_split) {
  const auto splits = static_cast<int64_t>(leaves) - 1;
  std::vector<bool> seen(leaves * 2);
  for (int64_t s = 0; s < splits; ++s) {
    const size_t split = first_split + static_cast<size_t>(s);
    CheckSplit(parameters, split);
    for (const int32_t child : {parameters.left[split], parameters.right[split]}) {
      const int64_t place = child < 0 ? splits + ~child : child;
      CheckModel(child < 0 ? ~child <= splits : child > s && child < splits, "a child of a split is not in its tree");
      CheckModel(!seen[static_cast<size_t>(place)], "a split or leaf has two parents");
      seen[static_cast<size_t>(place)] = true;
    }
  }
}

}  // namespace

TreeInputs MakeTreeInputs(const TreesParameters& parameters) {
  TreeInputs result;
  std::map<std::pair<uint32_t, InputRule>, uint32_t> known;
  for (size_t s = 0; s < parameters.feature.size(); ++s) {
    const uint8_t flags = parameters.flags[s];
    const bool left = (flags & kSplitDefaultLeft) != 0;
    InputRule rule = InputRule::kNanIsZero;
    if ((flags & kSplitMissingZero) != 0) rule = left ? InputRule::kZeroLeft : InputRule::kZeroRight;
    if ((flags & kSplitMissingNan) != 0) rule = left ? InputRule::kNanLeft : InputRule::kNanRight;
    if ((flags & kSplitCategories) != 0) rule = InputRule::kCategory;
    const auto [found, is_new] = known.try_emplace({parameters.feature[s], rule}, static_cast<uint32_t>(result.inputs.size()));
    if (is_new) result.inputs.push_back({parameters.feature[s], rule});
    result.of_split.push_back(found->second);
  }
  return result;
}

Json SaveTrees(const TreesParameters& parameters, const std::string& prefix, ArrayFileWriter* file) {
  file->Add(prefix + "leaves", std::span(parameters.leaves));
  file->Add(prefix + "left", std::span(parameters.left));
  file->Add(prefix + "right", std::span(parameters.right));
  file->Add(prefix + "feature", std::span(parameters.feature));
  file->Add(prefix + "threshold", std::span(parameters.threshold));
  file->Add(prefix + "flags", std::span(parameters.flags));
  file->Add(prefix + "leaf_values", std::span(parameters.leaf_values));
  if (!parameters.leaf_rows.empty()) file->Add(prefix + "leaf_rows", std::span(parameters.leaf_rows));
  file->Add(prefix + "category_offsets", std::span(parameters.category_offsets));
  file->Add(prefix + "category_words", std::span(parameters.category_words));
  JsonObject json{{"link", LinkName(parameters.link)}, {"sigmoid_scale", parameters.sigmoid_scale}, {"average", parameters.average}};
  if (parameters.leaf_width > 1) json["leaf_width"] = parameters.leaf_width;
  return json;
}

TreesParameters LoadTrees(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  TreesParameters parameters;
  parameters.features = features;
  parameters.outputs = outputs;
  parameters.link = ParseLink(TextField(json, "link"));
  parameters.sigmoid_scale = NumberField(json, "sigmoid_scale");
  const Json& average = Field(json, "average");
  CheckModel(average.is_bool(), "field 'average' is not true or false");
  parameters.average = average.get_bool();
  if (json.as_object().contains("leaf_width")) {
    const double width = NumberField(json, "leaf_width");
    CheckModel(width == static_cast<double>(outputs), "a leaf has a wrong number of values");
    parameters.leaf_width = static_cast<uint32_t>(width);
  }
  parameters.leaves = ToVector(file.Get<uint32_t>(prefix + "leaves"));
  parameters.left = ToVector(file.Get<int32_t>(prefix + "left"));
  parameters.right = ToVector(file.Get<int32_t>(prefix + "right"));
  parameters.feature = ToVector(file.Get<uint32_t>(prefix + "feature"));
  parameters.threshold = ToVector(file.Get<double>(prefix + "threshold"));
  parameters.flags = ToVector(file.Get<uint8_t>(prefix + "flags"));
  parameters.leaf_values = ToVector(file.Get<double>(prefix + "leaf_values"));
  if (file.Has(prefix + "leaf_rows")) parameters.leaf_rows = ToVector(file.Get<uint32_t>(prefix + "leaf_rows"));
  parameters.category_offsets = ToVector(file.Get<uint64_t>(prefix + "category_offsets"));
  parameters.category_words = ToVector(file.Get<uint32_t>(prefix + "category_words"));
  return parameters;
}

void CheckTrees(const TreesParameters& parameters) {
  const size_t trees = parameters.leaves.size(), splits = parameters.left.size(), width = parameters.leaf_width;
  const size_t scores = LinkScores(parameters.link, parameters.outputs);
  CheckModel(width == 1 || width == scores, "a leaf has a wrong number of values");
  CheckModel(parameters.leaf_values.size() % width == 0, "the values of leaves have a wrong number");
  const size_t rows = parameters.leaf_values.size() / width, leaves = parameters.leaf_rows.empty() ? rows : parameters.leaf_rows.size();
  CheckModel(parameters.leaf_rows.empty() || width > 1, "leaves of one number share it");
  CheckModel(std::all_of(parameters.leaf_rows.begin(), parameters.leaf_rows.end(), [&](uint32_t row) { return row < rows; }),
             "the values of a leaf are not there");
  CheckModel(trees > 0 && (width > 1 || trees % scores == 0), "the number of trees is wrong");
  CheckModel(std::isfinite(parameters.sigmoid_scale), "the scale of the sigmoid is not finite");
  CheckModel(leaves < (size_t{1} << 30) && splits + trees == leaves, "the numbers of splits, leaves and trees do not fit");
  CheckModel(parameters.right.size() == splits && parameters.feature.size() == splits && parameters.threshold.size() == splits &&
                 parameters.flags.size() == splits,
             "the arrays of splits differ in length");
  CheckModel(AllFinite(parameters.leaf_values), "the value of a leaf is not finite");
  const std::vector<uint64_t>& offsets = parameters.category_offsets;
  CheckModel(offsets.empty() ? parameters.category_words.empty()
                             : offsets.front() == 0 && offsets.back() == parameters.category_words.size() &&
                                   std::is_sorted(offsets.begin(), offsets.end()),
             "the sets of categories have wrong offsets");
  size_t split = 0, leaf = 0;
  for (const uint32_t count : parameters.leaves) {
    CheckModel(count >= 1 && count <= leaves - leaf && count - 1 <= splits - split, "a tree has a wrong number of leaves");
    CheckTree(parameters, count, split);
    split += count - 1;
    leaf += count;
  }
  CheckModel(leaf == leaves, "the trees do not use all leaves");
}

void ShareLeafValues(TreesParameters* parameters) {
  const size_t width = parameters->leaf_width;
  if (width == 1 || !parameters->leaf_rows.empty()) return;
  std::unordered_map<std::string_view, uint32_t> known;  // bytes of a row, which are equal where its numbers are
  const std::vector<double> all = std::move(parameters->leaf_values);
  parameters->leaf_values.clear();
  for (size_t i = 0; i < all.size(); i += width) {
    const std::string_view bytes(reinterpret_cast<const char*>(&all[i]), width * sizeof(double));
    const auto [found, is_new] = known.try_emplace(bytes, static_cast<uint32_t>(known.size()));
    if (is_new)
      parameters->leaf_values.insert(parameters->leaf_values.end(), all.begin() + static_cast<ptrdiff_t>(i),
                                     all.begin() + static_cast<ptrdiff_t>(i + width));
    parameters->leaf_rows.push_back(found->second);
  }
  parameters->leaf_values.shrink_to_fit();
}

std::shared_ptr<const Model> MakeTrees(TreesParameters parameters) {
  CheckTrees(parameters);
  return std::make_shared<TreesModel>(std::move(parameters));
}

}  // namespace everlearn
