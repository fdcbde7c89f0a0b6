#include "learners/growing_tree.h"

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kTieLevel = 0.03;  // probability that a look takes noise for a split

}  // namespace

std::vector<Parameter> GrowthParameters(const GrowingTreeOptions& defaults) {
  const auto number = [](const char* name, double value, double low, double high, ParameterScale scale, const char* doc) {
    return Parameter{name, ParameterType::kNumber, value, low, high, scale, {}, doc};
  };
  return {number("grace", defaults.grace, 10, 1e5, ParameterScale::kLog, "Weight of a leaf's rows between two looks for a split."),
          number("delta", defaults.delta, 1e-12, 0.5, ParameterScale::kLog, "Probability that a split is not the best."),
          number("tie", defaults.tie, 0, 1, ParameterScale::kLinear, "Below this bound a split that is surely better than none is taken."),
          {"memory",
           ParameterType::kInteger,
           32,
           1,
           4096,
           ParameterScale::kLog,
           {},
           "Megabytes of all trees together; then none is split.",
           SearchRange{32, 32}}};
}

GrowingTreeOptions ReadGrowth(const ParameterValues& parameters) {
  GrowingTreeOptions options;
  options.grace = parameters.Number("grace");
  options.delta = parameters.Number("delta");
  options.tie = parameters.Number("tie");
  options.most_bytes = static_cast<size_t>(parameters.Integer("memory")) << 20;
  return options;
}

GrowingTree::GrowingTree(const StreamShape& shape, const GrowingTreeOptions& options, uint64_t seed, std::vector<uint32_t> columns)
    : shape_(shape),
      is_category_(shape.is_category.begin(), shape.is_category.end()),
      options_(options),
      seed_(seed),
      columns_(std::move(columns)) {
  AddRoot();
}

uint32_t GrowingTree::AddRoot() {
  const std::vector<uint32_t> columns = DrawColumns();
  if (shape_.classes > 0) {
    class_leaves_.emplace_back(std::vector<double>(shape_.classes, 0.0), columns, is_category_);
    class_leaves_.back().next_attempt = options_.grace;
    bytes_ += class_leaves_.back().bytes();
    return AddNode(static_cast<uint32_t>(class_leaves_.size() - 1));
  }
  ValueLeaf first;
  first.weights.assign(shape_.features() + 1, 0.0);
  value_leaves_.emplace_back(std::move(first), 0.0, columns, is_category_);
  value_leaves_.back().next_attempt = options_.grace;
  bytes_ += value_leaves_.back().bytes();
  return AddNode(static_cast<uint32_t>(value_leaves_.size() - 1));
}

uint32_t GrowingTree::AddNode(uint32_t leaf) {
  StreamNode node;
  node.left = leaf;
  nodes_.push_back(node);
  return static_cast<uint32_t>(nodes_.size() - 1);
}

std::vector<uint32_t> GrowingTree::DrawColumns() {
  ++leaves_made_;
  if (options_.subspace == 0 || options_.subspace >= columns_.size()) return columns_;
  Random random = Random::Derive(seed_, leaves_made_);
  std::vector<uint32_t> drawn = columns_;
  random.Shuffle(std::span(drawn));
  drawn.resize(options_.subspace);
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

GrowingTree::Answer GrowingTree::Predict(const PreparedRow& row, const StreamScale& scale, LeafScratch* scratch, double* out,
                                         uint32_t from) const {
  Answer answer{FindLeaf(nodes_.data(), from, row.values.data())};
  const uint32_t leaf = nodes_[answer.node].left;
  if (shape_.classes == 0) {
    out[0] = PredictValue(value_leaves_[leaf].shown, row.scaled.data());
    return answer;
  }
  const ClassLeaf& shown = class_leaves_[leaf].shown;
  PredictClasses(shown, scale, row.values.data(), scratch, out);
  if (shown.naive_bayes) answer.naive_bayes_class = static_cast<int>(std::max_element(out, out + shape_.classes) - out);
  return answer;
}

void GrowingTree::Learn(const PreparedRow& row, const StreamScale& scale, const Answer& answer, double target, double weight,
                        LeafScratch* scratch) {
  const uint32_t number = nodes_[answer.node].left;
  if (shape_.classes == 0) {
    LearningValueLeaf& leaf = value_leaves_[number];
    const size_t before = leaf.bytes();
    leaf.Learn(row, target, weight, bytes() < options_.most_bytes);
    bytes_ += leaf.bytes() - before;
    if (leaf.weight() >= leaf.next_attempt) TrySplit(answer.node);
    return;
  }
  LearningClassLeaf& leaf = class_leaves_[number];
  int says = answer.naive_bayes_class;
  if (says < 0) {
    scratch->out.resize(shape_.classes);
    PredictNaiveBayes(leaf.shown, scale, row.values.data(), scratch, scratch->out.data());
    says = static_cast<int>(std::max_element(scratch->out.begin(), scratch->out.end()) - scratch->out.begin());
  }
  const size_t before = leaf.bytes();
  leaf.Learn(row.values.data(), static_cast<size_t>(target), weight, says, bytes() < options_.most_bytes);
  bytes_ += leaf.bytes() - before;
  if (leaf.weight() >= leaf.next_attempt) TrySplit(answer.node);
}

// Hoeffding's bound for the difference of two information gains, or of the ratio of two lowerings of the variance from 1. No split at all
// is always one of those to choose from. Where the first two are tied, and for values, whose ratio to 0 is always small, that is tested by
// the ratio of the likelihoods; random weights of rows, as in forests, let more noise pass. The level of ties is not delta but the one that
// cost single trees no accuracy on seven streams: what looks like noise at first may be the way to a good split.
bool GrowingTree::IsSure(const SplitSearch& search, double weight, size_t classes) const {
  const double range = classes > 2 ? std::log2(static_cast<double>(classes)) : 1;
  const double level = std::log(1 / options_.delta), bound = std::sqrt(range * range * level / (2 * weight));
  if (!search.IsBetterThanNone(kTieLevel)) return false;
  if (bound < options_.tie) return true;
  if (shape_.classes > 0) return search.best.merit - search.second > bound;
  return search.second < (1 - bound) * search.best.merit && search.IsBetterThanNone(options_.delta);
}

void GrowingTree::TrySplit(uint32_t node) {
  const uint32_t number = nodes_[node].left;
  const bool full = bytes() >= options_.most_bytes;
  const auto attempt = [&](auto& leaf, size_t classes) {
    leaf.next_attempt = leaf.weight() + options_.grace;
    if (full || leaf.pure()) return;
    const SplitSearch search = leaf.Search();
    if (search.best.feature != kNoSplit && IsSure(search, leaf.weight(), classes)) Split(node, search.best);
  };
  if (shape_.classes > 0) {
    attempt(class_leaves_[number], class_leaves_[number].shown.classes.size());
  } else {
    attempt(value_leaves_[number], 0);
  }
}

void GrowingTree::Split(uint32_t node, const StreamSplit& split) {
  const uint32_t number = nodes_[node].left;
  uint32_t right_number = 0;
  const std::vector<uint32_t> left_columns = DrawColumns(), right_columns = DrawColumns();
  if (shape_.classes > 0) {
    std::vector<double> left, right;
    class_leaves_[number].Divide(split, &left, &right);
    bytes_ -= class_leaves_[number].bytes();
    class_leaves_[number] = LearningClassLeaf(std::move(left), left_columns, is_category_);
    right_number = static_cast<uint32_t>(class_leaves_.size());
    class_leaves_.emplace_back(std::move(right), right_columns, is_category_);
    for (const uint32_t n : {number, right_number}) {
      class_leaves_[n].next_attempt = class_leaves_[n].weight() + options_.grace;
      bytes_ += class_leaves_[n].bytes();
    }
  } else {
    double weights[2], means[2];
    value_leaves_[number].Divide(split, weights, means);
    bytes_ -= value_leaves_[number].bytes();
    ValueLeaf left = value_leaves_[number].shown, right = left;
    left.mean = means[0];
    right.mean = means[1];
    value_leaves_[number] = LearningValueLeaf(std::move(left), weights[0], left_columns, is_category_);
    right_number = static_cast<uint32_t>(value_leaves_.size());
    value_leaves_.emplace_back(std::move(right), weights[1], right_columns, is_category_);
    for (const uint32_t n : {number, right_number}) {
      value_leaves_[n].next_attempt = value_leaves_[n].weight() + options_.grace;
      bytes_ += value_leaves_[n].bytes();
    }
  }
  const uint32_t left_node = AddNode(number), right_node = AddNode(right_number);
  nodes_[node] = {split.threshold, split.feature, split.flags, left_node, right_node};
}

std::vector<uint32_t> GrowingTree::Prune(const std::vector<uint32_t>& roots) {
  std::vector<uint32_t> place(nodes_.size(), kNoSplit);
  for (const uint32_t root : roots) place[root] = 0;
  std::vector<StreamNode> kept;
  const auto keep_leaf = [this](auto* leaves, auto* kept_leaves, StreamNode* node) {
    kept_leaves->push_back(std::move((*leaves)[node->left]));
    node->left = static_cast<uint32_t>(kept_leaves->size() - 1);
    bytes_ += kept_leaves->back().bytes();
  };
  std::vector<LearningClassLeaf> class_leaves;
  std::vector<LearningValueLeaf> value_leaves;
  bytes_ = 0;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (place[i] == kNoSplit) continue;
    StreamNode node = nodes_[i];
    place[i] = static_cast<uint32_t>(kept.size());
    if (!node.is_leaf()) {
      place[node.left] = place[node.right] = 0;  // nodes come before those below them
    } else if (shape_.classes > 0) {
      keep_leaf(&class_leaves_, &class_leaves, &node);
    } else {
      keep_leaf(&value_leaves_, &value_leaves, &node);
    }
    kept.push_back(node);
  }
  for (StreamNode& node : kept) {
    if (node.is_leaf()) continue;
    node.left = place[node.left];
    node.right = place[node.right];
  }
  nodes_ = std::move(kept);
  class_leaves_ = std::move(class_leaves);
  value_leaves_ = std::move(value_leaves);
  return place;
}

StreamTree GrowingTree::Shown() const {
  StreamTree tree;
  tree.nodes = nodes_;
  for (const LearningClassLeaf& leaf : class_leaves_) {
    if (leaf.shown.naive_bayes) {
      tree.class_leaves.push_back(leaf.shown);
    } else {
      tree.class_leaves.emplace_back().weights = leaf.shown.weights;
    }
  }
  for (const LearningValueLeaf& leaf : value_leaves_) tree.value_leaves.push_back(leaf.shown);
  return tree;
}

void GrowingTree::Save(ByteWriter* out) const {
  out->Put(seed_);
  out->Put(leaves_made_);
  out->PutAll(columns_);
  out->PutVarint(nodes_.size());
  for (const StreamNode& node : nodes_) {
    out->Put(node.threshold);
    for (const uint32_t number : {node.feature, node.flags, node.left, node.right}) out->Put(number);
  }
  out->PutVarint(class_leaves_.size() + value_leaves_.size());
  for (const LearningClassLeaf& leaf : class_leaves_) leaf.Save(out);
  for (const LearningValueLeaf& leaf : value_leaves_) leaf.Save(out);
}

void GrowingTree::Load(ByteReader* in) {
  seed_ = in->Get<uint64_t>();
  leaves_made_ = in->Get<uint64_t>();
  columns_ = in->GetAll<uint32_t>();
  nodes_.assign(in->GetCount(), {});
  for (StreamNode& node : nodes_) {
    node.threshold = in->Get<double>();
    for (uint32_t* number : {&node.feature, &node.flags, &node.left, &node.right}) *number = in->Get<uint32_t>();
  }
  const uint64_t leaves = in->GetCount();
  class_leaves_.assign(shape_.classes > 0 ? leaves : 0, {});
  value_leaves_.assign(shape_.classes > 0 ? 0 : leaves, {});
  bytes_ = 0;
  for (LearningClassLeaf& leaf : class_leaves_) {
    leaf.Load(in, shape_.classes, is_category_);
    bytes_ += leaf.bytes();
  }
  for (LearningValueLeaf& leaf : value_leaves_) {
    leaf.Load(in, is_category_);
    bytes_ += leaf.bytes();
  }
  for (const uint32_t column : columns_)
    if (column >= is_category_.size()) throw Error(ErrorKind::kDamaged, "a column of a stored tree is wrong");
  CheckStreamNodes(nodes_, is_category_.size(), leaves);
}

}  // namespace everlearn
