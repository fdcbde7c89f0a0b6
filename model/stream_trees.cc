// Arrays of the file: `category` (U8), `mean`, `deviation` (F64), one a column; `effects` (F64, of values: category columns × 128);
// `tree_weight` (F64), `tree_nodes`, `tree_leaves` (U64: of each tree); `threshold` (F64), `feature`, `flags`, `left`, `right` (U32), one a
// node. Of classes: `shares` (F64, leaves × classes), `naive_bayes` (U8, one a leaf), and for those leaves, one after another: `numbers`,
// `categories`, `slots` (U64: how many), `columns` and `slot_class` (U32), `gaussians` (F64), `capacity` (U32) and `counts` (F64). Of
// values: `value` (F64, leaves × 3: mean, low, high), `linear` (U8) and `weights` (F64, (columns + 1) numbers for each linear leaf).
#include "model/stream_trees.h"

#include "model/check.h"

namespace everlearn {
namespace {

class StreamTreesModel final : public Model {
 public:
  explicit StreamTreesModel(StreamTreesParameters parameters) : parameters_(std::move(parameters)) {}
  std::string_view kind() const override { return "stream_trees"; }
  size_t features() const override { return parameters_.scale.is_category.size(); }
  size_t outputs() const override { return std::max<size_t>(parameters_.classes, 1); }

  void PredictRow(const double* row, double* out) const override {
    thread_local PreparedRow prepared;
    thread_local LeafScratch scratch;
    PrepareRow(parameters_.scale, row, parameters_.classes == 0, &prepared);
    TreeMean mean(out, outputs());
    scratch.out.resize(outputs());
    for (const StreamTree& tree : parameters_.trees) {
      const uint32_t leaf = tree.nodes[FindLeaf(tree.nodes.data(), 0, prepared.values.data())].left;
      if (parameters_.classes == 0) {
        scratch.out[0] = PredictValue(tree.value_leaves[leaf], prepared.scaled.data());
      } else {
        PredictClasses(tree.class_leaves[leaf], parameters_.scale, prepared.values.data(), &scratch, scratch.out.data());
      }
      mean.Add(scratch.out.data(), tree.weight);
    }
    mean.Finish();
    Sharpen(parameters_.sharpness, outputs(), out);
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override;

 private:
  StreamTreesParameters parameters_;
};

// The arrays of the file, but for the scale.
struct Arrays {
  std::vector<double> tree_weight, threshold, shares, gaussians, counts, value, weights;
  std::vector<uint64_t> tree_nodes, tree_leaves, numbers, categories, slots;
  std::vector<uint32_t> feature, flags, left, right, columns, slot_class, capacity;
  std::vector<uint8_t> naive_bayes, linear;

  template <typename Visit>
  void ForEach(Visit&& visit) {
    visit("tree_weight", &tree_weight), visit("tree_nodes", &tree_nodes), visit("tree_leaves", &tree_leaves);
    visit("threshold", &threshold), visit("feature", &feature), visit("flags", &flags), visit("left", &left), visit("right", &right);
    visit("shares", &shares), visit("naive_bayes", &naive_bayes), visit("numbers", &numbers), visit("categories", &categories);
    visit("slots", &slots), visit("columns", &columns), visit("slot_class", &slot_class), visit("gaussians", &gaussians);
    visit("capacity", &capacity), visit("counts", &counts), visit("value", &value), visit("linear", &linear), visit("weights", &weights);
  }
};

template <typename T>
void Append(const std::vector<T>& from, std::vector<T>* to) {
  to->insert(to->end(), from.begin(), from.end());
}

void AddClassLeaf(const ClassLeaf& leaf, Arrays* out) {
  Append(leaf.weights, &out->shares);
  out->naive_bayes.push_back(leaf.naive_bayes);
  if (!leaf.naive_bayes) return;
  out->numbers.push_back(leaf.numbers.size());
  out->categories.push_back(leaf.categories.size());
  out->slots.push_back(leaf.classes.size());
  Append(leaf.numbers, &out->columns);
  Append(leaf.categories, &out->columns);
  Append(leaf.classes, &out->slot_class);
  Append(leaf.gaussians, &out->gaussians);
  for (const CategoryCounts& counts : leaf.counts) {
    out->capacity.push_back(counts.capacity);
    Append(counts.counts, &out->counts);
  }
}

void AddValueLeaf(const ValueLeaf& leaf, Arrays* out) {
  for (const double number : {leaf.mean, leaf.low, leaf.high}) out->value.push_back(number);
  out->linear.push_back(leaf.linear);
  if (leaf.linear) Append(leaf.weights, &out->weights);
}

// Takes the arrays of a file piece by piece; throws kDamaged where one ends too early.
class ArrayReader {
 public:
  template <typename T>
  std::vector<T> Take(const std::vector<T>& from, size_t* at, uint64_t count) const {
    CheckModel(count <= from.size() - *at, "an array of the stream trees is too short");
    const auto begin = from.begin() + static_cast<ptrdiff_t>(*at);
    *at += count;
    return {begin, begin + static_cast<ptrdiff_t>(count)};
  }
  template <typename T>
  T TakeOne(const std::vector<T>& from, size_t* at) const {
    CheckModel(*at < from.size(), "an array of the stream trees is too short");
    return from[(*at)++];
  }

  // Of `features` columns; products of counts below 2^32 do not overflow.
  ClassLeaf TakeClassLeaf(const Arrays& from, size_t classes, size_t features) {
    ClassLeaf leaf;
    leaf.weights = Take(from.shares, &shares_, classes);
    leaf.naive_bayes = TakeOne(from.naive_bayes, &naive_bayes_) != 0;
    if (!leaf.naive_bayes) return leaf;
    const uint64_t numbers = TakeOne(from.numbers, &numbers_), categories = TakeOne(from.categories, &categories_);
    const uint64_t slots = TakeOne(from.slots, &slots_);
    CheckModel(numbers <= features && categories <= features && slots <= classes,
               "a leaf of the stream trees has too many columns or classes");
    leaf.numbers = Take(from.columns, &columns_, numbers);
    leaf.categories = Take(from.columns, &columns_, categories);
    leaf.classes = Take(from.slot_class, &slot_class_, slots);
    leaf.gaussians = Take(from.gaussians, &gaussians_, slots * ClassLeaf::kFields * numbers);
    for (uint64_t i = 0; i < categories; ++i) {
      CategoryCounts counts;
      counts.capacity = TakeOne(from.capacity, &capacity_);
      CheckModel(counts.capacity <= kCategorySlots, "a leaf of the stream trees has too many categories");
      counts.counts = Take(from.counts, &counts_, slots * counts.stride());
      leaf.counts.push_back(std::move(counts));
    }
    return leaf;
  }

  ValueLeaf TakeValueLeaf(const Arrays& from, size_t features) {
    ValueLeaf leaf;
    for (double* number : {&leaf.mean, &leaf.low, &leaf.high}) *number = TakeOne(from.value, &value_);
    leaf.linear = TakeOne(from.linear, &linear_) != 0;
    if (leaf.linear) leaf.weights = Take(from.weights, &weights_, features + 1);
    return leaf;
  }

  StreamNode TakeNode(const Arrays& from) {
    CheckModel(node_ < from.threshold.size() && node_ < from.feature.size() && node_ < from.flags.size() && node_ < from.left.size() &&
                   node_ < from.right.size(),
               "an array of the stream trees is too short");
    const size_t i = node_++;
    return {from.threshold[i], from.feature[i], from.flags[i], from.left[i], from.right[i]};
  }

 private:
  size_t node_ = 0, shares_ = 0, naive_bayes_ = 0, numbers_ = 0, categories_ = 0, slots_ = 0, columns_ = 0, slot_class_ = 0;
  size_t gaussians_ = 0, capacity_ = 0, counts_ = 0, value_ = 0, linear_ = 0, weights_ = 0;
};

Json StreamTreesModel::Save(const std::string& prefix, ArrayFileWriter* file) const {
  Arrays arrays;
  for (const StreamTree& tree : parameters_.trees) {
    arrays.tree_weight.push_back(tree.weight);
    arrays.tree_nodes.push_back(tree.nodes.size());
    arrays.tree_leaves.push_back(tree.class_leaves.size() + tree.value_leaves.size());
    for (const StreamNode& node : tree.nodes) {
      arrays.threshold.push_back(node.threshold);
      arrays.feature.push_back(node.feature);
      arrays.flags.push_back(node.flags);
      arrays.left.push_back(node.left);
      arrays.right.push_back(node.right);
    }
    for (const ClassLeaf& leaf : tree.class_leaves) AddClassLeaf(leaf, &arrays);
    for (const ValueLeaf& leaf : tree.value_leaves) AddValueLeaf(leaf, &arrays);
  }
  file->Add(prefix + "category", std::span(parameters_.scale.is_category));
  file->Add(prefix + "mean", std::span(parameters_.scale.mean));
  file->Add(prefix + "deviation", std::span(parameters_.scale.deviation));
  file->Add(prefix + "effects", std::span(parameters_.scale.effects));
  arrays.ForEach([&]<typename T>(const char* name, std::vector<T>* values) { file->Add(prefix + name, std::span<const T>(*values)); });
  return JsonObject{{"classes", static_cast<int64_t>(parameters_.classes)}, {"sharpness", parameters_.sharpness}};
}

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  StreamTreesParameters parameters;
  const int64_t classes = IntegerField(json, "classes");
  CheckModel(classes >= 0 && std::max<size_t>(static_cast<size_t>(classes), 1) == outputs,
             "the stream trees have a wrong number of classes");
  parameters.classes = static_cast<size_t>(classes);
  parameters.sharpness = NumberField(json, "sharpness");
  parameters.scale.is_category = ToVector(file.Get<uint8_t>(prefix + "category"));
  parameters.scale.mean = ToVector(file.Get<double>(prefix + "mean"));
  parameters.scale.deviation = ToVector(file.Get<double>(prefix + "deviation"));
  parameters.scale.effects = ToVector(file.Get<double>(prefix + "effects"));
  CheckModel(parameters.scale.is_category.size() == features, "the stream trees have a wrong number of features");
  Arrays arrays;
  arrays.ForEach([&]<typename T>(const char* name, std::vector<T>* values) { *values = ToVector(file.Get<T>(prefix + name)); });
  CheckModel(arrays.tree_nodes.size() == arrays.tree_weight.size() && arrays.tree_leaves.size() == arrays.tree_weight.size(),
             "the arrays of the stream trees differ in length");
  ArrayReader reader;
  for (size_t t = 0; t < arrays.tree_weight.size(); ++t) {
    StreamTree tree;
    tree.weight = arrays.tree_weight[t];
    for (uint64_t i = 0; i < arrays.tree_nodes[t]; ++i) tree.nodes.push_back(reader.TakeNode(arrays));
    for (uint64_t i = 0; i < arrays.tree_leaves[t]; ++i) {
      if (classes > 0) {
        tree.class_leaves.push_back(reader.TakeClassLeaf(arrays, parameters.classes, features));
      } else {
        tree.value_leaves.push_back(reader.TakeValueLeaf(arrays, features));
      }
    }
    parameters.trees.push_back(std::move(tree));
  }
  return MakeStreamTrees(std::move(parameters));
}

const bool registered = ModelKinds().Add("stream_trees", {"committee of trees that grew row by row", Load});

void CheckClassLeaf(const ClassLeaf& leaf, const StreamScale& scale, size_t classes) {
  const auto positive = [](double value) { return value >= 0; };
  CheckModel(leaf.weights.size() == classes && AllFinite(leaf.weights) && std::all_of(leaf.weights.begin(), leaf.weights.end(), positive),
             "weights of a leaf of the stream trees are wrong");
  if (!leaf.naive_bayes) return;
  for (const uint32_t column : leaf.numbers)
    CheckModel(column < scale.mean.size() && !scale.is_category[column], "a column of the stream trees is wrong");
  for (const uint32_t column : leaf.categories)
    CheckModel(column < scale.mean.size() && scale.is_category[column], "a column of the stream trees is wrong");
  for (const uint32_t k : leaf.classes) CheckModel(k < classes, "a class of the stream trees is wrong");
  CheckModel(leaf.gaussians.size() == leaf.classes.size() * ClassLeaf::kFields * leaf.numbers.size() &&
                 leaf.counts.size() == leaf.categories.size() && AllFinite(leaf.gaussians),
             "numbers of a leaf of the stream trees are wrong");
  for (size_t s = 0; s < leaf.classes.size(); ++s)
    for (size_t j = 0; j < leaf.numbers.size(); ++j)
      CheckModel(leaf.gaussian(s, 0)[j] >= 0 && leaf.gaussian(s, 2)[j] >= 0, "a number of the stream trees is below 0");
  for (const CategoryCounts& counts : leaf.counts)
    CheckModel(counts.capacity <= kCategorySlots && counts.counts.size() == leaf.classes.size() * counts.stride() &&
                   AllFinite(counts.counts) && std::all_of(counts.counts.begin(), counts.counts.end(), positive),
               "a count of the stream trees is wrong");
}

}  // namespace

void CheckStreamNodes(const std::vector<StreamNode>& nodes, size_t features, size_t leaves) {
  CheckModel(!nodes.empty(), "a tree of a stream has no root");
  std::vector<uint8_t> node_used(nodes.size()), leaf_used(leaves);
  const auto use = [](std::vector<uint8_t>* used, uint32_t place) {
    CheckModel(place < used->size() && !(*used)[place], "a tree of a stream leads to a place that is not there, or twice to one");
    (*used)[place] = 1;
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    const StreamNode& node = nodes[i];
    if (node.is_leaf()) {
      use(&leaf_used, node.left);
      continue;
    }
    CheckModel(node.feature < features && node.left > i && node.right > i, "a split of a tree of a stream is wrong");
    use(&node_used, node.left);
    use(&node_used, node.right);
  }
}

std::shared_ptr<const Model> MakeStreamTrees(StreamTreesParameters parameters) {
  const StreamScale& scale = parameters.scale;
  const size_t features = scale.is_category.size();
  const auto categories =
      static_cast<size_t>(std::count_if(scale.is_category.begin(), scale.is_category.end(), [](uint8_t c) { return c != 0; }));
  CheckModel(scale.mean.size() == features && scale.deviation.size() == features &&
                 scale.effects.size() == (parameters.classes == 0 ? categories * kCategorySlots : 0) && AllFinite(scale.mean) &&
                 AllFinite(scale.deviation) && AllFinite(scale.effects) &&
                 std::all_of(scale.deviation.begin(), scale.deviation.end(), [](double d) { return d > 0; }),
             "a mean or deviation of the stream trees is wrong");
  CheckModel(parameters.sharpness > 0 && parameters.sharpness <= 1000, "the sharpness of the stream trees is wrong");
  for (const StreamTree& tree : parameters.trees) {
    CheckModel(tree.weight >= 0 && std::isfinite(tree.weight), "a weight of the stream trees is wrong");
    CheckStreamNodes(tree.nodes, features, tree.class_leaves.size() + tree.value_leaves.size());
    CheckModel((parameters.classes > 0 ? tree.value_leaves.empty() : tree.class_leaves.empty()),
               "leaves of the stream trees are of a wrong kind");
    for (const ClassLeaf& leaf : tree.class_leaves) CheckClassLeaf(leaf, scale, parameters.classes);
    for (const ValueLeaf& leaf : tree.value_leaves)
      CheckModel(std::isfinite(leaf.mean) && std::isfinite(leaf.low) && std::isfinite(leaf.high) && leaf.low <= leaf.high &&
                     (!leaf.linear || (leaf.weights.size() == features + 1 && AllFinite(leaf.weights))),
                 "a value of the stream trees is wrong");
  }
  return std::make_shared<StreamTreesModel>(std::move(parameters));
}

}  // namespace everlearn
